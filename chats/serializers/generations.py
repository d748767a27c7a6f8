"""Requests to a model, and the answers to them."""

from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from chats.models import Generation
from chats.serializers.conversations import MessageSerializer
from stores.api.members import FlagMember, LimitedMember, NameMember, ObjectMember
from stores.api.serializers import FormSerializer
from stores.records.errors import at

TEMPERATURE: dict[str, Any] = {
    "schema": {"type": "number", "format": "double", "maximum": 2, "minimum": 0},
    "fault": "Must be a number from 0 to 2.",
}
TOKENS: dict[str, Any] = {
    "schema": {"type": "integer", "maximum": 10_000_000, "minimum": 1},
    "fault": "Must be a whole number from 1 to 10,000,000.",
}
PARAMETERS = {"temperature": "llmTemperature", "maxTokens": "llmResponseTokens"}
"""Parameters of a call, and what big-AGI calls them; either name is taken."""
FRAGMENT = {"type": "object", "required": ["ft", "fId", "part"], "properties": {"part": {"type": "object"}}}


class GenerateParametersSerializer(FormSerializer):
    """Parameters of a call, which override the model's own. Either name is accepted."""

    rules = FormSerializer.rules | {"allOf": [{"not": {"required": list(names)}} for names in PARAMETERS.items()]}
    noun = "parameter"
    temperature = LimitedMember(**TEMPERATURE)
    maxTokens = LimitedMember(**TOKENS)
    llmTemperature = LimitedMember(**TEMPERATURE)
    llmResponseTokens = LimitedMember(**TOKENS)

    def validate(self, attrs: Any) -> Any:
        """Return them under big-AGI's names."""
        for name, known in PARAMETERS.items():
            if name in attrs and known in attrs:
                raise at(f"/parameters/{known}", "Must be given once, under one of its two names.", "exclusive")
        return {PARAMETERS.get(name, name): value for name, value in attrs.items()}


class SentMessageMember(ObjectMember):
    """A message of the user, as text or with its fragments."""

    schema = {
        "type": "object",
        "additionalProperties": {},
        "anyOf": [
            {
                "required": ["text"],
                "properties": {"text": {"type": "string", "minLength": 1}},
                "additionalProperties": False,
            },
            {
                "required": ["fragments"],
                "properties": {
                    "role": {"const": "user"},
                    "fragments": {"type": "array", "minItems": 1, "items": FRAGMENT},
                },
            },
        ],
    }

    def to_internal_value(self, data: Any) -> Any:
        message = super().to_internal_value(data)
        if set(message) == {"text"}:
            if not isinstance(message["text"], str) or not message["text"]:
                raise at("/message/text", "Must be a string that is not empty.", "type")
            return message
        for name, errors in MessageSerializer().check_members(message)[1].items():
            raise ValidationError({name: errors})
        if message.get("role", "user") != "user":
            raise at("/message/role", "The role must be user.")
        if not message["fragments"]:
            raise at("/message/fragments", "Must have at least one fragment.")
        for index, fragment in enumerate(message["fragments"]):
            is_whole = isinstance(fragment, dict) and {"ft", "fId"} <= fragment.keys()
            if not is_whole or not isinstance(fragment.get("part"), dict):
                raise at(f"/message/fragments/{index}", "Must have `ft`, `fId` and `part` (an object).")
        return message


class GenerateSerializer(FormSerializer):
    """A request to a model. Without a message it answers the last message of the chat."""

    rules = FormSerializer.rules | {"not": {"required": ["message", "replaces"]}}
    message = SentMessageMember(
        help_text='`{"text": "…"}`, or a message of the user as big-AGI has it, with `fragments`.'
    )
    modelId = NameMember(
        help_text="Default: with `replaces`, the model of that answer; else that of the chat's last reply, or of "
        "`primaryChat`."
    )
    parameters = GenerateParametersSerializer(required=False)
    replaces = NameMember(help_text="The id of an answer to regenerate.")
    shareContext = FlagMember(help_text="Also send the states of `app-ui` and `app-ux-labs`, as a system message.")
    stream = FlagMember(help_text="If false, one response when the generation has ended.")

    def validate(self, attrs: Any) -> Any:
        if "message" in attrs and "replaces" in attrs:
            raise at("/replaces", "Send either message or replaces, not both.", "exclusive")
        return attrs


class GenerationSerializer(serializers.Serializer[Any]):
    """An answer of a model, in progress or finished."""

    id = serializers.CharField()
    status = serializers.ChoiceField(Generation.Status.choices)
    conversation = serializers.CharField(help_text="The chat's id.")
    user_message = serializers.CharField(allow_null=True, help_text="The id of the message that was sent with it.")
    model = serializers.CharField(help_text="The model's id.")
    service = serializers.CharField(help_text="The service's id.")
    started = serializers.IntegerField(help_text="In ms since the epoch.")
    ended = serializers.IntegerField(allow_null=True, help_text="In ms since the epoch.")
    detail = serializers.CharField(help_text="What went wrong.")
    href = serializers.CharField()
    events_href = serializers.CharField()
    message = serializers.DictField(
        allow_null=True,
        help_text="The answering message in its current state, in big-AGI's JSON; null if it was deleted.",
    )
