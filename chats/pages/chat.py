"""The chat page, and the ranges of messages that its scripts load."""

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from chats.generations.choice import choose_for
from chats.lock import running_in
from chats.models import Conversation, PinnedChat
from chats.pages.budgets import find_warnings, read_lines
from chats.pages.preferences import read_ui
from chats.pages.status import describe_service
from chats.pages.turns import Window, read_one, read_window
from chats.personas import DEFAULT, find_title
from llms.callable_model import CallableModel
from llms.calls.demo import SERVICE
from stores.records.ids import UnknownId, decode_id, encode_id
from stores.records.secrets import mask

MAX_POSITION = 10**12


@require_safe
@ensure_csrf_cookie
def new_chat_page(request: HttpRequest) -> HttpResponse:
    """Show the page without a chat: the first message creates one."""
    return _render(request, None, Window([]))


@require_safe
@ensure_csrf_cookie
def chat_page(request: HttpRequest, chat: str) -> HttpResponse:
    """Show a chat from its end; earlier messages load on scrolling up."""
    row = find_chat(chat)
    return _render(request, row, read_window(row))


@require_safe
def turns(request: HttpRequest, chat: str) -> HttpResponse:
    """Return messages of the chat as HTML: `?before=` or `?after=` a position, `?at=` or `?only=` a message's id."""
    row = find_chat(chat)
    only = request.GET.get("only")
    if only is not None:
        window = read_one(row, only)
    else:
        window = read_window(
            row, before=_position(request, "before"), after=_position(request, "after"), at=request.GET.get("at")
        )
    return _uncached(render(request, "chat/turns.html", {"window": window, "chat": row}))


@require_safe
def state(request: HttpRequest, chat: str) -> HttpResponse:
    """Return the state of the chat, for pages that follow it."""
    return _uncached(JsonResponse(describe_chat(find_chat(chat))))


def find_chat(segment: str) -> Conversation:
    """Return the chat of a path's segment. Raises `Http404`."""
    try:
        row = Conversation.objects.filter(uid=decode_id(segment)).first()
    except UnknownId:
        row = None
    if row is None:
        raise Http404("There is no such chat.")
    return row


def describe_chat(row: Conversation) -> dict[str, Any]:
    """Return what the scripts know of a chat."""
    running = running_in(row)
    described: dict[str, Any] = mask(
        {
            "id": row.uid,
            "segment": encode_id(row.uid),
            "title": row.plain_title,
            "persona": row.system_purpose_id or DEFAULT,
            "personaName": find_title(row.system_purpose_id),
            "archived": bool(row.is_archived),
            "pinned": PinnedChat.objects.filter(uid=row.uid).exists(),
            "revision": row.revision,
            "running": {"generation": running.uid, "message": running.message_uid} if running else None,
        }
    )
    return described


def describe_model(model: CallableModel) -> dict[str, Any]:
    """Return what the page tells of the model that will answer."""
    return {
        "id": model.id,
        "label": model.label,
        "serviceId": model.service_id,
        "context": model.context_tokens,
        "isDemo": model.service_id == SERVICE,
    }


def _render(request: HttpRequest, row: Conversation | None, window: Window) -> HttpResponse:
    ui = read_ui()
    choice = choose_for(row)
    model = describe_model(choice.model) | {"instead": choice.instead}
    service = describe_service(model["serviceId"])
    data = {
        "chat": describe_chat(row) if row else None,
        "ui": ui,
        "model": model,
        "offered": model,
        "service": service,
        "csrfCookie": settings.CSRF_COOKIE_NAME,
        "page": reverse("chat-page"),
        "admin": reverse("admin:chats_conversation_changelist"),
    }
    budgets = read_lines()
    context = {
        "section": "chat",
        "has_budgets": bool(budgets),
        "budgets": find_warnings(budgets),
        "chat": row,
        "window": window,
        "data": mask(data),
        "ui": ui,
        "model": model,
        "service": service,
        "persona_name": mask(find_title(row.system_purpose_id if row else None)),
        "is_first": row is None and not Conversation.objects.exists(),
    }
    return _uncached(render(request, "chat/page.html", context))


def _position(request: HttpRequest, name: str) -> int | None:
    text = request.GET.get(name, "")
    return min(int(text), MAX_POSITION) if text.isascii() and text.isdigit() and len(text) < 16 else None


def _uncached(response: HttpResponse) -> HttpResponse:
    response.headers["Cache-Control"] = "no-store"
    return response
