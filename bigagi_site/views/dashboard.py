"""The dashboard: its cards, which the page reloads while it is visible, and the actions of its dialogs."""

import re
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.views.decorators import staff_member_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_POST, require_safe

from bigagi_site.dashboard.board import build_board
from bigagi_site.templatetags.figures import usd
from metrics.budgets import ALL, set_budget
from metrics.counting import start_counting
from stores.admin.writes import admin_origin, read_form, tell_change
from stores.models import Change
from stores.records.errors import ServiceError
from stores.records.journal.recorder import Origin
from stores.records.units import NANO

MAX_USD = 1_000_000


class DollarsField(forms.DecimalField):
    """An amount, with a point or a comma before its cents. Of 1,234 nobody knows what it means."""

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str) and "," in value:
            if not re.fullmatch(r"\s*\d*,\d{1,2}\s*", value):
                raise forms.ValidationError("Use a point before the cents, and nothing else, as in 1234.50.")
            value = value.replace(",", ".")
        return super().to_python(value)


class BudgetForm(forms.Form):
    """The monthly budget; empty: no budget."""

    service = forms.CharField(max_length=200, required=False, strip=False)
    usd = DollarsField(
        label="Budget", min_value=Decimal(0), max_value=Decimal(MAX_USD), decimal_places=9, required=False
    )


@require_safe
@staff_member_required(login_url="sign-in")
def dashboard(request: HttpRequest) -> HttpResponse:
    """The cards, with current figures."""
    # Of this kind, so that references to secrets are masked in it, as on the admin's pages (SecretsMiddleware).
    response = TemplateResponse(request, "dashboard/cards.html", build_board(request))
    response.headers["Cache-Control"] = "no-store"
    return response


@require_POST
@staff_member_required(login_url="sign-in")
def count_anew(request: HttpRequest) -> HttpResponse:
    """Reset the count."""
    _, change = start_counting(admin_origin(request))
    tell_change(request, change, "The count was reset; all-time totals stay")
    return redirect("admin:index")


@require_POST
@staff_member_required(login_url="sign-in")
def change_budget(request: HttpRequest) -> HttpResponse:
    """Set or remove a monthly budget."""
    try:
        change, done = write_budget(admin_origin(request), request.POST)
    except ServiceError as error:
        messages.error(request, str(error))
    else:
        tell_change(request, change, done)
    return redirect("admin:index")


def write_budget(origin: Origin, posted: QueryDict) -> tuple[Change | None, str]:
    """Set or remove the budget that a form asks for; return the change, and what it did in words. Raises `Invalid`."""
    asked = read_form(BudgetForm(posted))
    service = asked["service"] or ALL
    nano_usd = None if asked["usd"] is None else int(asked["usd"] * NANO)
    whose = service or "all services"
    done = (
        f"Budget for {whose} set to {usd(nano_usd)} per month"
        if nano_usd is not None
        else f"Budget removed for {whose}"
    )
    return set_budget(origin, service, nano_usd), done
