"""What was read of a document."""

from typing import Any

from rest_framework import serializers

from chats.documents.kinds import Kind


class DocumentCountsSerializer(serializers.Serializer[Any]):
    """What was counted; what a kind does not have is missing."""

    pages = serializers.IntegerField(required=False)
    slides = serializers.IntegerField(required=False)
    sheets = serializers.IntegerField(required=False)
    rows = serializers.IntegerField(required=False, help_text="Rows of all sheets, including those that were not read.")
    words = serializers.IntegerField()
    characters = serializers.IntegerField()


class DocumentWarningSerializer(serializers.Serializer[Any]):
    """Something to know before the text is used."""

    code = serializers.CharField(
        help_text="`no-text`, `pages-without-text`, `damaged-pages`, `hidden-sheets`, `macros` or `cut`."
    )
    detail = serializers.CharField()


class DocumentSerializer(serializers.Serializer[Any]):
    """The text of a document. Nothing of it is stored."""

    kind = serializers.ChoiceField([kind.value for kind in Kind])
    title = serializers.CharField(help_text="The title that the document gives itself, else the file's name.")
    text = serializers.CharField(help_text="At most 2,000,000 characters.")
    mime_type = serializers.ChoiceField(["text/plain", "text/markdown"], help_text="The type of the text.")
    counts = DocumentCountsSerializer()
    summary = serializers.CharField(help_text="What was counted, in words.")
    warnings = DocumentWarningSerializer(many=True)
