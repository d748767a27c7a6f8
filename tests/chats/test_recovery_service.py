"""An answer whose server died is closed from what was stored of it: its keys are sealed once, and come back whole."""

import pytest

from chats.bigagi.conversation import CONVERSATIONS
from chats.generations.abandoned import close_abandoned
from chats.generations.answer import Answer
from chats.generations.flushing import GenerationFlush, store_fragments
from chats.generations.requests import GenerationRequest
from chats.generations.start import start_generation
from chats.models import Conversation, Generation
from chats.services.conversations import create_chat
from llms.calls.events import Text
from stores.records.journal.recorder import Origin
from stores.records.secrets import reveal

pytestmark = [pytest.mark.django_db]

TOLD = "Your key is sk-proj-aB3dE5fG7hI9jK1lM3nO5pQ7, keep it."


def test_a_key_in_an_answer_that_was_broken_off_can_still_be_read(settings, tmp_path):
    settings.KEY_FILE = tmp_path / "own.key"
    origin = Origin("chat")
    chat = create_chat(origin, {"messages": []}).row.uid
    started = start_generation(GenerationRequest(origin, chat, {"text": "Hello"}, "bigagi-demo-echo"), "1-gone")
    answer = Answer(started.start_message)
    answer.take(Text(TOLD), 0)
    store_fragments(GenerationFlush(started, 0, answer.now(), 1, 0, ""))

    Generation.objects.update(lease_until=1)
    assert close_abandoned(started.row)

    [record] = CONVERSATIONS.load([Conversation.objects.get(uid=chat)])
    fragments = record["messages"][-1]["fragments"]
    assert "sk-proj" not in str(fragments)
    assert reveal(fragments)[0]["part"]["text"] == TOLD
