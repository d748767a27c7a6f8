"""Chats by their titles, for the command palette."""

from typing import Any

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from chats.models import Conversation
from chats.models.conversation import LAST_CHANGE
from chats.querysets import with_words
from stores.records.secrets import mask

FOUND = 8


@require_safe
@never_cache
def find(request: HttpRequest) -> JsonResponse:
    """The newest chats in whose titles all words of `?q=` stand, in any order; without words, the newest of all."""
    words = request.GET.get("q", "")[:200].replace("\0", "").split()
    rows = with_words(Conversation.objects.order_by(LAST_CHANGE.desc(), "-pk"), words).only(
        "uid", "user_title", "auto_title", "user_symbol", "is_archived"
    )
    found: list[dict[str, Any]] = [
        {
            "id": row.uid,
            "title": row.plain_title,
            "symbol": row.user_symbol or "",
            "archived": bool(row.is_archived),
        }
        for row in rows[:FOUND]
    ]
    return JsonResponse({"results": mask(found)})
