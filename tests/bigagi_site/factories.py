"""Rows for the tests of the site's pages."""

from django.contrib.auth.models import User

from chats.models import Asset, Conversation, Message
from llms.models import Service
from stores.models import MigrationRun


def make_owner(*, password: str | None = None) -> User:
    return User.objects.create_superuser("owner", password=password)


def make_conversation(uid: str = "chat-1", **kwargs) -> Conversation:
    return Conversation.objects.create(uid=uid, **{"position": 0, "content_hash": "", **kwargs})


def make_message(conversation: Conversation, uid: str = "message-1", **kwargs) -> Message:
    return Message.objects.create(
        conversation=conversation, uid=uid, **{"position": 0, "role": "user", "content_hash": "", **kwargs}
    )


def make_asset(uid: str = "asset-1", **kwargs) -> Asset:
    return Asset.objects.create(uid=uid, **{"asset_type": "image", "position": 0, "content_hash": "", **kwargs})


def make_service(uid: str = "openai", **kwargs) -> Service:
    return Service.objects.create(uid=uid, **{"position": 0, "content_hash": "", **kwargs})


def make_run(**kwargs) -> MigrationRun:
    given = {"source_name": "backup.agi.json", "phases": [], "counts": {}, "errors": [], "notes": [], "pid": 1}
    return MigrationRun.objects.create(**given | kwargs)
