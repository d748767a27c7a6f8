"""Bare views: no token, no checks, SQL by hand."""

import json

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse

from tests.benchmarks.floor import statements


def list_chats(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        return _answer(statements.list_chats(cursor))


def chat(request: HttpRequest, uid: str) -> HttpResponse:
    if request.method == "PUT":
        body = json.loads(request.body)
        with transaction.atomic(), connection.cursor() as cursor:
            return _answer(statements.replace_chat(cursor, uid, body))
    with connection.cursor() as cursor:
        return _answer(statements.get_chat(cursor, uid))


def append(request: HttpRequest, uid: str) -> HttpResponse:
    body = json.loads(request.body)
    with transaction.atomic(), connection.cursor() as cursor:
        return _answer(statements.append_message(cursor, uid, body))


def store(request: HttpRequest, name: str) -> HttpResponse:
    with connection.cursor() as cursor:
        return _answer(statements.get_store(cursor, name))


def _answer(text: str) -> HttpResponse:
    return HttpResponse(text, content_type="application/json")
