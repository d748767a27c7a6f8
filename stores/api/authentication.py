"""Authentication: by a page's session, or by a token."""

from typing import Any

from rest_framework import authentication, exceptions
from rest_framework.authentication import get_authorization_header
from rest_framework.request import Request

from stores.api.problems import Problem
from stores.api.throttles import address_of
from stores.api.tokens import InvalidToken, TooManyFailures, may_call, verify_token

SCHEME = "Bearer"
INVALID = "This token is not valid. It may have expired or been revoked. Create a new one on the account page."
READ_ONLY = "This token is read-only. To write, create another token on the account page."
TOO_MANY = "Too many invalid tokens from this address. Try again in {} s with a valid token."


class BearerAuthentication(authentication.BaseAuthentication):
    """`Authorization: Bearer <token>`. It comes first, so that a session never overrides a token.

    Other schemes are ignored, because a proxy in front may use its own.
    """

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        scheme, _, text = get_authorization_header(request).partition(b" ")
        if scheme.lower() != SCHEME.lower().encode():
            return None
        try:
            token = verify_token(text.strip().decode("latin-1"), address_of(request._request))
        except InvalidToken as error:
            raise exceptions.AuthenticationFailed(INVALID) from error
        except TooManyFailures as error:
            headers = {"Retry-After": str(error.seconds)}
            raise Problem(429, TOO_MANY.format(error.seconds), headers=headers) from error
        if not may_call(token, request.method):
            raise Problem(403, READ_ONLY, kind="read-only-token")
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return SCHEME


class SessionAuthentication(authentication.SessionAuthentication):
    """The session of the pages, with CSRF protection for writes."""

    def authenticate_header(self, request: Request) -> str:
        return "Session"
