"""The system prompt of a chat as the API gives and takes it. It is our own resource: snake_case."""

from typing import Any

from rest_framework import serializers

from chats.generations.system_prompt import Source
from stores.api.members import NOT_BLANK, AnyMember
from stores.api.serializers import FormSerializer
from stores.records.codecs import is_storable

LONGEST = 100_000
"""Characters of a system prompt."""


class PromptMember(AnyMember):
    """The text of a system prompt: it says something, and is no longer than `LONGEST`."""

    schema = {"type": "string", "minLength": 1, "maxLength": LONGEST, "pattern": NOT_BLANK}
    fault = f"Must be text of 1 to {LONGEST:,} characters that is not blank, without NUL."
    code = "invalid"

    def fits(self, data: Any) -> bool:
        return isinstance(data, str) and bool(data.strip()) and len(data) <= LONGEST and is_storable(data)


class SystemPromptWriteSerializer(FormSerializer):
    """The chat's own system prompt."""

    text = PromptMember(required=True, help_text="What is sent in front of the chat, in the place of the persona's.")


class SystemPromptSerializer(serializers.Serializer[Any]):
    """What a chat is sent with, and where it comes from."""

    text = serializers.CharField(help_text="What is sent in front of the chat.")
    # DRF's fields have an attribute of this name.
    source: Any = serializers.ChoiceField(
        [source.value for source in Source],
        help_text="chat: the chat's own; big-agi: what big-AGI stored in the chat for its persona; persona: your "
        "persona's; default: none of these.",
    )
    persona = serializers.CharField(help_text="The id of the chat's persona.")
    persona_name = serializers.CharField(help_text="Its name; empty if it is unknown.")
    is_persona_known = serializers.BooleanField(
        help_text="Whether the persona's text is here. Those of big-AGI's own personas are not."
    )
    otherwise = serializers.CharField(help_text="What would be sent if the chat had no system prompt of its own.")
    notes = serializers.IntegerField(help_text="System messages further down in the chat. They are sent as well.")
    stale = serializers.IntegerField(
        help_text="System messages that big-AGI wrote for another persona. They are not sent."
    )
