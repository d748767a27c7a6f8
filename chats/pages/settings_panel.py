"""The panel of a chat's settings: persona, system prompt, and the parameters of the model."""

import re
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from chats.generations.system_prompt import read_system_prompt
from chats.models import Conversation
from chats.personas import DEFAULT, list_choices
from llms.bigagi import MODELS
from llms.callable_model import ENV_SERVICE
from llms.catalog import is_virtual
from llms.effective import effective_values
from llms.models import Model
from llms.parameters import ParameterValue
from llms.services.parameters import Refused, find_refused, read_parameters, refused_of
from stores.records.preconditions import etag_of
from stores.records.secrets import mask

_PREFIX = re.compile(r"^llm(?:Vnd[A-Z][a-z]+)?")
_WORD = re.compile(r"(?<=[a-z])(?=[A-Z0-9])|(?<=[A-Z])(?=[A-Z][a-z])")


@dataclass(frozen=True)
class ParameterField:
    """A parameter as the panel shows it."""

    held: ParameterValue
    refused: Refused | None

    @property
    def id(self) -> str:
        return self.held.parameter.id

    @property
    def shown(self) -> str:
        """The value in the field; empty where none is sent."""
        return _write(self.held.value)

    @property
    def default(self) -> str:
        """The default in words."""
        value = self.held.default
        return f"{value:,}" if type(value) is int else _write(value) or "the provider's"

    @property
    def step(self) -> str:
        return "1" if self.held.parameter.is_whole else "0.1"

    @property
    def choices(self) -> list[str]:
        """What can be chosen; a value that is none of them is shown all the same."""
        listed = list(self.held.parameter.choices)
        return listed if not self.shown or self.shown in listed else [self.shown, *listed]


@require_safe
@never_cache
def settings_panel(request: HttpRequest) -> HttpResponse:
    """The settings of `?chat=`, or of a new chat of `?persona=`, and of `?model=`."""
    chat = Conversation.objects.filter(uid=request.GET.get("chat", "")).first()
    persona = (chat.system_purpose_id if chat else request.GET.get("persona")) or DEFAULT
    choices = list_choices(persona)
    context = {
        "chat": chat,
        "etag": etag_of(chat) if chat else "",
        "persona": persona,
        "own": [choice for choice in choices if choice.is_own],
        "others": [choice for choice in choices if not choice.is_own],
        "is_own": any(choice.uid == persona and choice.is_own for choice in choices),
        "system": read_system_prompt(chat, persona),
    }
    return render(request, "chat/settings-body.html", context | _describe_model(request.GET.get("model", "")))


def _describe_model(uid: str) -> dict[str, Any]:
    row = None if is_virtual(uid) else Model.objects.filter(uid=uid).first()
    if row is None:
        why = "gone" if not is_virtual(uid) else "environment" if uid.startswith(ENV_SERVICE) else "demo"
        return {"model": None, "why_not": why}
    [record] = MODELS.load([row])
    read, refused = read_parameters(record), find_refused(row)
    return {
        "model": {
            "id": row.uid,
            "label": mask(effective_values(record)["label"]) or row.uid,
            "service": row.service_uid,
        },
        "fields": [ParameterField(held, refused_of(held.parameter, refused)) for held in read.values],
        "kept": [name_in_words(name) for name in read.kept],
        "takes_temperature": read.takes_temperature,
    }


def name_in_words(parameter: str) -> str:
    """Return big-AGI's id of a parameter in words: `llmVndAntWebSearch` as web search."""
    words = _WORD.split(_PREFIX.sub("", parameter, count=1) or parameter)
    return " ".join(word if word.isupper() else word.lower() for word in words)


def _write(value: Any) -> str:
    if value is None or isinstance(value, dict | list | bool):
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)
