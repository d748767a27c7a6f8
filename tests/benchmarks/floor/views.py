"""Bare views: the token is checked as everywhere, the rest is SQL by hand."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework.request import Request

from stores.api.authentication import BearerAuthentication
from tests.benchmarks.floor import statements

View = Callable[..., str]


def bare(view: View) -> Any:
    @csrf_exempt
    @login_not_required
    @wraps(view)
    def checked(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        if BearerAuthentication().authenticate(Request(request)) is None:
            return HttpResponse(status=401)
        return HttpResponse(view(request, **kwargs), content_type="application/json")

    return checked


@bare
def list_chats(request: HttpRequest) -> str:
    with connection.cursor() as cursor:
        return statements.list_chats(cursor)


@bare
def chat(request: HttpRequest, uid: str) -> str:
    if request.method == "PUT":
        body = json.loads(request.body)
        with transaction.atomic(), connection.cursor() as cursor:
            return statements.replace_chat(cursor, uid, body)
    with connection.cursor() as cursor:
        return statements.get_chat(cursor, uid)


@bare
def append(request: HttpRequest, uid: str) -> str:
    body = json.loads(request.body)
    with transaction.atomic(), connection.cursor() as cursor:
        return statements.append_message(cursor, uid, body)


@bare
def store(request: HttpRequest, name: str) -> str:
    with connection.cursor() as cursor:
        return statements.get_store(cursor, name)
