"""Parts of the chat page other than messages: models, personas, prompt preview, search, usage, crash test."""

import os
from typing import Any

from django.db.models import Q, Sum
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import conditional_page, require_safe

from chats.generations.prompt import reserve_of
from chats.generations.sending import prompt_so_far
from chats.models import Conversation, Fragment, Message
from chats.pages.budgets import read_lines
from chats.pages.choices import count_hidden, list_choices, model_of
from chats.pages.status import name_services
from chats.pages.turns import show_dollars
from chats.personas import DEFAULT
from chats.personas import list_choices as list_personas
from llms.callable_model import UnknownModel, response_tokens
from llms.vendors.endpoint import NotCallable
from metrics.models import UsageEvent
from stores.records.ids import encode_id
from stores.records.secrets import mask

SHOWN = 6_000
"""Characters of each message that a preview shows."""

SEARCHED = 50_000
"""Fragments, the newest first, that a search in texts looks through."""

FOUND = 20


@require_safe
@conditional_page
def models(request: HttpRequest) -> HttpResponse:
    """The models to choose from, by service, and how many are hidden; `?hidden=1`: those that are hidden. A list is
    long and seldom changes: it has an ETag."""
    is_hidden = request.GET.get("hidden") == "1"
    response = JsonResponse({"services": list_choices(is_hidden=is_hidden), "hidden": count_hidden()})
    response.headers["Cache-Control"] = "private, no-cache"
    return response


@require_safe
def personas(request: HttpRequest) -> HttpResponse:
    """The personas that a chat can be given, for the command palette: the default one, those that the person made, and
    those that chats have."""
    choices = [{"id": each.uid, "name": each.name, "isOwn": each.is_own} for each in list_personas(None)]
    return _uncached(JsonResponse({"personas": choices}))


@require_safe
def preview(request: HttpRequest) -> HttpResponse:
    """What a model would be sent before the next message: `?chat=`, or `?persona=` of a new one, `?model=`, `?share=1`
    for the preferences; `?count=1`: only how much that is."""
    chat = Conversation.objects.filter(uid=request.GET.get("chat", "")).first()
    try:
        model = model_of(request.GET.get("model", ""), chat)
    except (UnknownModel, NotCallable) as error:
        return _uncached(JsonResponse({"detail": str(error)}, status=409))
    persona = request.GET.get("persona", DEFAULT)
    prompt = prompt_so_far(chat, persona, model, shares_context=request.GET.get("share") == "1")
    answer = response_tokens(model)
    return _uncached(
        JsonResponse(
            {
                "tokens": prompt.tokens,
                "systemTokens": prompt.system_tokens,
                "answerTokens": reserve_of(model.context_tokens, answer) if model.context_tokens else answer or 0,
                "leftOut": prompt.left_out,
                "keys": prompt.keys,
                "context": model.context_tokens,
                "messages": [] if request.GET.get("count") == "1" else [_shown(message) for message in prompt.messages],
            }
        )
    )


def _shown(message: dict[str, Any]) -> dict[str, Any]:
    content = message["content"]
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    text = "\n\n".join(part["text"] for part in parts if part["type"] == "text")
    return {
        "role": message["role"],
        "text": text[:SHOWN],
        "cut": len(text) > SHOWN,
        "images": sum(part["type"] != "text" for part in parts),
    }


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Chats in whose newest texts `?q=` stands, each with the place."""
    words = request.GET.get("q", "").strip()[:200]
    results = find_in_texts(words) if len(words) > 1 else []
    return _uncached(JsonResponse({"results": mask(results)}))


def find_in_texts(words: str) -> list[dict[str, Any]]:
    """Return up to 20 chats with these words in a text, and an excerpt around them."""
    newest = Fragment.objects.order_by("-pk").values_list("pk", flat=True)[SEARCHED : SEARCHED + 1].first() or 0
    texts = Fragment.objects.filter(pk__gt=newest, pt="text", text__icontains=words).order_by("-pk")
    results: dict[int, dict[str, Any]] = {}
    for message_pk, text in texts.values_list("message_id", "text")[: FOUND * 5]:
        message = Message.objects.select_related("conversation").get(pk=message_pk)
        chat = message.conversation
        if chat.pk in results or len(results) >= FOUND:
            continue
        place = max(0, (text or "").lower().find(words.lower()))
        start = max(0, place - 40)
        results[chat.pk] = {
            "id": chat.uid,
            "segment": encode_id(chat.uid),
            "title": chat.title,
            "message": message.uid,
            "excerpt": ("…" if start else "") + " ".join((text or "")[start : place + 100].split()),
        }
    return list(results.values())


@require_safe
def usage(request: HttpRequest) -> HttpResponse:
    """Tokens and cost of `?chat=` and since the time `?since=` (ms since the epoch), by service."""
    since = request.GET.get("since", "")
    start = int(since) if since.isascii() and since.isdigit() and len(since) < 16 else 0
    chat = request.GET.get("chat", "")
    events = UsageEvent.objects.exclude(source__in=("import", "test"))
    tables = [("Today", sum_events(events.filter(at__gte=start)))]
    if chat:
        tables.insert(0, ("This chat", sum_events(events.filter(conversation=chat))))
    return _uncached(render(request, "chat/usage.html", {"tables": tables, "budgets": read_lines()}))


@require_safe
def crash(request: HttpRequest) -> HttpResponse:
    """The walkthrough "crash me": how to kill this process and start it again."""
    context = {"pid": str(os.getpid()), "port": request.get_port(), "is_windows": os.name == "nt"}
    return _uncached(render(request, "chat/crash.html", context))


def sum_events(events: Any) -> list[dict[str, Any]]:
    """Return calls, tokens and cost of the events by service, and of all as the last row; calls that were taken back
    are in the sums with both signs."""
    names = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")
    counts = {
        "free": Sum("calls", filter=Q(cost_code="free"), default=0),
        "unpriced": Sum("calls", filter=Q(cost_nano_usd=None) & ~Q(cost_code="free"), default=0),
        "estimates": Sum("calls", filter=Q(estimated=True), default=0),
        # The last one: those before mean the column.
        "calls": Sum("calls"),
    }
    sums = {name: Sum(name) for name in (*names, "cost_nano_usd")}
    found = list(events.order_by("service").values("service").annotate(**counts, **sums).exclude(calls=0))
    if len(found) > 1:
        whole = {name: sum(row[name] or 0 for row in found) for name in (*counts, *sums)}
        found.append({"service": None, **whole})
    labels = {None: "All", "": "No service"} | name_services([row["service"] for row in found if row["service"]])
    return [
        {
            "service": labels.get(row["service"], row["service"]),
            "calls": row["calls"],
            "unpriced": row["unpriced"],
            "about": "≈ " if row["estimates"] else "",
            "input": sum(row[name] or 0 for name in names[:3]),
            "output": sum(row[name] or 0 for name in names[3:]),
            "cost": _show_cost(row),
        }
        for row in found
    ]


def _show_cost(row: dict[str, Any]) -> str:
    if row["free"] == row["calls"]:
        return "free"
    if row["unpriced"] + row["free"] == row["calls"]:
        return ""
    return ("≈ " if row["estimates"] else "") + show_dollars((row["cost_nano_usd"] or 0) / 10**9)


def _uncached(response: HttpResponse) -> HttpResponse:
    response.headers["Cache-Control"] = "no-store"
    return response
