"""Who asks: a session of the pages, or a client with a token."""

from typing import Any

from django.utils import timezone
from knox.auth import TokenAuthentication
from rest_framework import authentication, exceptions
from rest_framework.authentication import get_authorization_header
from rest_framework.request import Request

SCHEME = "Bearer"
INVALID = "This token is not valid: it may have expired or been taken back. Make a new one on the account page."


class BearerAuthentication(TokenAuthentication):
    """`Authorization: Bearer <token>`. It comes first: who shows a token is never taken for somebody else.

    Other schemes are passed over, since a proxy in front may have its own.
    """

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        scheme, _, token = get_authorization_header(request).partition(b" ")
        if scheme.lower() != SCHEME.lower().encode():
            return None
        # A token is hexadecimal digits; no other bytes may reach the decoding.
        if not token.strip().isalnum() or not token.isascii():
            raise exceptions.AuthenticationFailed(INVALID)
        try:
            user_and_token: tuple[Any, Any] = self.authenticate_credentials(token.strip())
        except exceptions.AuthenticationFailed as error:
            raise exceptions.AuthenticationFailed(INVALID) from error
        return user_and_token

    def authenticate_header(self, request: Request) -> str:
        return SCHEME

    def _cleanup_token(self, auth_token: Any) -> bool:
        # knox would delete expired tokens here; to look something up is no occasion to write.
        return bool(auth_token.expiry is not None and auth_token.expiry < timezone.now())


class SessionAuthentication(authentication.SessionAuthentication):
    """The session of the pages, with CSRF for all that writes."""

    def authenticate_header(self, request: Request) -> str:
        return "Session"
