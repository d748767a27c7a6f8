"""What is told of a run out of the database, also while its end is written."""

import pytest

from chats.generations import replay
from chats.models import Conversation, Generation
from tests.api import make_chat, make_message

pytestmark = pytest.mark.django_db


def test_a_message_whose_row_is_replaced_between_two_looks_is_found(monkeypatch: pytest.MonkeyPatch):
    make_chat("c", messages=[make_message("m", "Hello")])
    Generation.objects.create(
        uid="g", conversation=Conversation.objects.get(), message_uid="m", start_message={}, lease_until=0, started=1
    )
    load, looks = replay.load_messages, []

    def load_late(keys: list[int], by: str) -> list:
        looks.append(keys)
        return load(keys, by=by) if len(looks) > 1 else []

    monkeypatch.setattr(replay, "load_messages", load_late)
    assert replay.describe_generation("g")["message"]["id"] == "m"
    assert len(looks) == 2
