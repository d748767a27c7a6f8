"""The account: the password, and the tokens of programs."""

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.forms import PasswordChangeForm, SetPasswordForm
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from bigagi_site.forms import TokenForm
from bigagi_site.sessions import storing_session
from bigagi_site.tokens import create_token, revoke_tokens, tokens_of


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """Let the owner set or change the password; show their tokens."""
    form = _password_form(request, request.POST or None)
    if request.method == "POST" and form.is_valid():
        with storing_session(request):
            form.save()
            # Other sessions end; the one that set the password goes on.
            update_session_auth_hash(request, cast(User, request.user))
        messages.success(request, "Password saved.")
        return redirect("account")
    return _show(request, form=form)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    """Create a token and show it in this response only: its text is not stored."""
    if request.method != "POST":
        # Who opens the address again after a token was made.
        return redirect("account")
    form = TokenForm(request.POST)
    if not form.is_valid():
        return _show(request, token_form=form)
    wanted = form.cleaned_data
    token, text = create_token(
        cast(User, request.user), wanted["name"], is_read_only=wanted["is_read_only"], lifetime=wanted["days"]
    )
    return _show(request, new_token=token, new_text=text)


@require_POST
def revoke_token(request: HttpRequest, token_id: int) -> HttpResponse:
    """Revoke one of the user's tokens."""
    found = tokens_of(cast(User, request.user)).filter(pk=token_id)
    name = get_object_or_404(found).name
    revoke_tokens(found)
    messages.success(request, f"Token “{name}” revoked.")
    return redirect("account")


def _password_form(request: HttpRequest, data: QueryDict | None = None) -> "SetPasswordForm[User]":
    user = cast(User, request.user)
    form_class = PasswordChangeForm if user.has_usable_password() else SetPasswordForm
    return form_class(user, data)


def _show(request: HttpRequest, **context: Any) -> HttpResponse:
    forms = {"form": context.pop("form", None) or _password_form(request)}
    forms["token_form"] = context.pop("token_form", None) or TokenForm()
    listed = {"tokens": tokens_of(cast(User, request.user)), "section": "account"}
    return render(request, "account.html", listed | forms | context)
