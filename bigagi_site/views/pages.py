"""Home, import help and the account."""

from typing import cast

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.forms import PasswordChangeForm, SetPasswordForm
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from bigagi_site.overview import describe_data


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show what is here, where it lies, and what to do next."""
    return render(request, "home.html", {"overview": describe_data(), "section": "home"})


@require_safe
def import_help(request: HttpRequest) -> HttpResponse:
    """Show how to get a complete backup out of big-AGI and into bigagi."""
    return render(request, "import.html", {"section": "import"})


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """Let the owner set a password, or change the one they have."""
    user = cast(User, request.user)
    form_class = PasswordChangeForm if user.has_usable_password() else SetPasswordForm
    form = form_class(user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.save()
        # Other sessions end; the one that set the password goes on.
        update_session_auth_hash(request, user)
        messages.success(request, "The password is set.")
        return redirect("account")
    return render(request, "account.html", {"form": form, "section": "account"})
