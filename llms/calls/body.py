"""What is sent to a provider: the parameters of a call, as its vendor names and takes them. Pure."""

from collections.abc import Set
from typing import Any

from llms.calls.events import Request
from llms.vendors.table import Vendor

TOKEN_LIMITS = ("max_completion_tokens", "max_tokens")
"""The names of the parameter that limits an answer: some take only the one, some only the other."""
TURNS_IN_A_ROW = "messages in a row"
"""Stands among the refused parameters for two messages of one role in a row."""


def build_body(vendor: Vendor, request: Request, refused: Set[str] = frozenset()) -> dict[str, Any]:
    """Return the parameters of the call without those that were refused. A limit of the answer whose name was refused
    is sent by its other name."""
    joins = vendor.joins_turns or TURNS_IN_A_ROW in refused
    messages = join_turns(request.messages) if joins else request.messages
    body: dict[str, Any] = {"model": request.model, "messages": messages, "stream": True}
    if vendor.has_usage_option:
        body["stream_options"] = {"include_usage": True}
    names = sorted(TOKEN_LIMITS, key=lambda name: name != vendor.token_limit)
    if request.max_tokens and (fitting := [name for name in names if name not in refused]):
        body[fitting[0]] = request.max_tokens
    body |= request.parameters
    return {name: value for name, value in body.items() if name not in refused}


def join_turns(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the messages with those of one role in a row as one, a blank line between their texts."""
    joined: list[dict[str, Any]] = []
    for message in messages:
        if joined and joined[-1]["role"] == message["role"]:
            joined[-1] = joined[-1] | {"content": _join(joined[-1]["content"], message["content"])}
        else:
            joined.append(message)
    return joined


def _join(first: Any, second: Any) -> Any:
    if isinstance(first, str) and isinstance(second, str):
        return "\n\n".join(filter(None, (first, second)))
    return [*_parts(first), *_parts(second)]


def _parts(content: Any) -> list[dict[str, Any]]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return list(content)
