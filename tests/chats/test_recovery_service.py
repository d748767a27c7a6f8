"""An answer whose server died is closed from what was stored of it: its keys are sealed once, and come back whole."""

import pytest

from chats.bigagi.conversation import CONVERSATIONS
from chats.generations.answer import Answer
from chats.generations.begin import Begin, begin
from chats.generations.recovery import close_abandoned
from chats.generations.store import Flush, keep_fragments
from chats.models import Conversation, Generation
from chats.services.conversations import create_chat
from llms.calls.events import Text
from stores.journal.recorder import Origin
from stores.secrets import reveal

pytestmark = [pytest.mark.django_db]

TOLD = "Your key is sk-proj-aB3dE5fG7hI9jK1lM3nO5pQ7, keep it."


def test_a_key_in_an_answer_that_was_broken_off_can_still_be_read(settings, tmp_path):
    settings.KEY_FILE = tmp_path / "own.key"
    origin = Origin("chat")
    chat = create_chat(origin, {"messages": []}).row.uid
    begun = begin(Begin(origin, chat, {"text": "Hello"}, "bigagi-demo-echo"), "1-gone")
    answer = Answer(begun.base)
    answer.take(Text(TOLD), 0)
    keep_fragments(Flush(begun, 0, answer.now(), 1, 0, ""))

    Generation.objects.update(lease_until=1)
    assert close_abandoned(begun.generation)

    [record] = CONVERSATIONS.load([Conversation.objects.get(uid=chat)])
    fragments = record["messages"][-1]["fragments"]
    assert "sk-proj" not in str(fragments)
    assert reveal(fragments)[0]["part"]["text"] == TOLD
