"""Signing in, by a one-time link or a password."""

import math
from typing import Any

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from bigagi_site.services import is_sign_in_link, use_sign_in_link
from bigagi_site.sessions import storing_session
from stores.api.throttles import LINKS, PASSWORDS, address_of

BACKEND = "django.contrib.auth.backends.ModelBackend"


@method_decorator([login_not_required, never_cache], name="dispatch")
class SignInView(LoginView):
    """The sign-in page; with `?link=` it signs in at once, as a person expects who opens a link.

    That a GET signs in is safe here: the link is a secret that only the terminal showed, it leads to the one owner's
    account, and nothing but a browser's navigation uses it up.
    """

    template_name = "sign_in.html"
    redirect_authenticated_user = True
    extra_context = {"section": "sign-in"}

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if (token := request.GET.get("link")) is None:
            return super().get(request, *args, **kwargs)
        if _is_prefetch(request) or not _is_navigation(request):
            # A browser that guesses, a preview of the link, or an image of another site: answer nothing, and leave the
            # link unused.
            return HttpResponse(status=204)
        # Before failures are looked at: nobody keeps the owner out by guessing, which 256 random bits do not allow.
        if is_sign_in_link(token) and _sign_in(request, token):
            # Away from the address that holds the link.
            return redirect(settings.LOGIN_REDIRECT_URL)
        # Other sites can lead the owner's browser here as often as they like.
        if _is_own(request) and (seconds := LINKS.attempt(address_of(request))):
            return self.refuse(seconds)
        return self.render_to_response(self.get_context_data(is_link_spent=True), status=403)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not (_is_own(request) and _is_navigation(request)):
            # Not counted, and so not checked either.
            raise PermissionDenied
        # Counted before the password is checked, which takes a while.
        if seconds := PASSWORDS.attempt(address_of(request)):
            return self.refuse(seconds)
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        PASSWORDS.succeed(address_of(self.request))
        with storing_session(self.request):
            return super().form_valid(form)

    def refuse(self, seconds: int) -> HttpResponse:
        """Return that this address has to wait."""
        # Not the form that was sent: to show its errors would check the password.
        context = self.get_context_data(form=AuthenticationForm(self.request), minutes=math.ceil(seconds / 60))
        return self.render_to_response(context, status=429, headers={"Retry-After": str(seconds)})

    def get_redirect_url(self, *args: Any) -> str:
        """Return the target of `?next=`, or nothing if it is this page, which would be a redirect loop."""
        url: str = super().get_redirect_url(*args)
        return "" if url.partition("?")[0] == self.request.path else url


def _sign_in(request: HttpRequest, token: str) -> bool:
    """Use up the link and store the session, together: where that fails the link stays unused."""
    with transaction.atomic():
        user = use_sign_in_link(token)
        if user is None:
            return False
        with storing_session(request):
            login(request, user, backend=BACKEND)
    return True


def _is_prefetch(request: HttpRequest) -> bool:
    purpose = request.headers.get("Sec-Purpose", "") + request.headers.get("Purpose", "")
    return request.method == "HEAD" or "prefetch" in purpose


# No page can set the headers below (https://www.w3.org/TR/fetch-metadata/). Programs send none, nor do browsers over
# plain HTTP to other machines.


def _is_navigation(request: HttpRequest) -> bool:
    """Tell whether a whole tab goes to the page: nothing that another page embeds or fetches."""
    mode, target = request.headers.get("Sec-Fetch-Mode", ""), request.headers.get("Sec-Fetch-Dest", "")
    return mode in ("", "navigate") and target in ("", "document")


def _is_own(request: HttpRequest) -> bool:
    """Tell whether a person or our own page sends the request: no other site, nor another server on this machine."""
    return request.headers.get("Sec-Fetch-Site", "") in ("", "none", "same-origin")
