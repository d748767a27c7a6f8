"""The personas that the person makes, in big-AGI's shape."""

from collections.abc import Sequence
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from chats.serializers.system_prompt import PromptMember
from stores.api.members import NOT_BLANK, IdMember, ShortTextMember, TextMember
from stores.api.serializers import RecordSerializer, ServerFactsSerializer
from stores.records.codecs import JSONObject
from stores.records.ids import href


class PersonaNameMember(ShortTextMember):
    """The name of a persona, which says something."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(200, **kwargs)
        self.schema = self.schema | {"pattern": NOT_BLANK}

    def to_internal_value(self, data: Any) -> Any:
        name = super().to_internal_value(data)
        if not name.strip():
            raise ValidationError("Must not be blank.", "blank")
        return name


class PersonaSerializer(RecordSerializer):
    """A persona. Chats name it by their `systemPurposeId`."""

    id = IdMember(help_text="If missing, one is created.")
    name = PersonaNameMember()
    systemPrompt = PromptMember(required=True, help_text="What is sent in front of chats of this persona.")
    creationDate = TextMember(help_text="An ISO date; if missing, now.")
    pictureUrl = TextMember()
    inputText = TextMember(help_text="What big-AGI made the persona from.")
    llmLabel = TextMember(help_text="The model that big-AGI made it with.")
    _server = ServerFactsSerializer(read_only=True)

    def load(self, records: Sequence[JSONObject]) -> list[Any]:
        return list(records)

    def load_stored(self) -> Any:
        return self.instance

    def get_facts(self, records: Sequence[JSONObject]) -> list[dict[str, Any]]:
        return [{"href": href("personas", persona["id"])} for persona in records]


class PersonaListSerializer(serializers.Serializer[Any]):
    """All personas, in their order, on one page."""

    next = serializers.CharField(allow_null=True, help_text="Always null.")
    previous = serializers.CharField(allow_null=True, help_text="Always null.")
    results = PersonaSerializer(many=True)
