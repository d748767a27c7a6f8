"""Requests to a model, and the answers to them."""

from typing import Any

from rest_framework import serializers

from chats.models import Generation


class GenerateParametersSerializer(serializers.Serializer[Any]):
    """Parameters of a call, which override the model's own. Either name is accepted."""

    temperature = serializers.FloatField(required=False, min_value=0, max_value=2)
    maxTokens = serializers.IntegerField(required=False, min_value=1, max_value=10_000_000)
    llmTemperature = serializers.FloatField(required=False, min_value=0, max_value=2)
    llmResponseTokens = serializers.IntegerField(required=False, min_value=1, max_value=10_000_000)


FRAGMENT = {"type": "object", "required": ["ft", "fId", "part"], "properties": {"part": {"type": "object"}}}


class GenerateSerializer(serializers.Serializer[Any]):
    """A request to a model. Without a message it answers the last message of the chat."""

    rules = {
        "properties": {
            "message": {
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
                ]
            },
            "parameters": {"additionalProperties": False},
        },
        "not": {"required": ["message", "replaces"]},
        "additionalProperties": False,
    }
    message = serializers.DictField(
        required=False, help_text='`{"text": "…"}`, or a message of the user as big-AGI has it, with `fragments`.'
    )
    modelId = serializers.CharField(
        required=False, help_text="Default: the chat's last model, or the one of `primaryChat`."
    )
    replaces = serializers.CharField(required=False, help_text="The id of an answer to regenerate.")
    parameters = GenerateParametersSerializer(required=False)
    shareContext = serializers.BooleanField(
        required=False, help_text="Also send the states of `app-ui` and `app-ux-labs`, as a system message."
    )
    stream = serializers.BooleanField(required=False, help_text="If false, one response when the generation has ended.")


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
