"""What the journal adds to a write: the same services with and without it, by turns. Prints JSON: milliseconds with and
without, by write."""

import json
import statistics
import sys
import time
from typing import Any
from unittest import mock

import django

django.setup()

from chats.bigagi.conversation import CONVERSATIONS  # noqa: E402
from chats.models import Conversation  # noqa: E402  (needs the settings)
from chats.services.conversations import replace_chat  # noqa: E402
from chats.services.messages import append_message, delete_message  # noqa: E402
from stores.records.journal.recorder import Entry, Origin  # noqa: E402

TIMES = 300
ORIGIN = Origin("api", "benchmark", "request", {"method": "POST", "path": "/api/chats"})


def only_secrets(entry: Entry, started: float) -> None:
    entry.sealer.save()


def message(at: int) -> dict[str, Any]:
    part = {"pt": "text", "text": f"{at} " + "A question of some words. " * 20}
    return {
        "id": f"bench-{at}",
        "role": "user",
        "fragments": [{"ft": "content", "fId": "f", "part": part}],
        "created": 1,
    }


def main() -> None:
    chats = list(Conversation.objects.order_by("position")[:100])
    times: dict[str, tuple[list[float], list[float]]] = {"append a message": ([], []), "replace a chat": ([], [])}
    for at in range(2 * TIMES):
        without = at % 2
        chat = chats[at // 2 % len(chats)]
        whole = CONVERSATIONS.load([chat])[0]
        changed = whole | {"messages": [*whole["messages"][:-1], message(at) | {"id": whole["messages"][-1]["id"]}]}
        with mock.patch.object(Entry, "save", only_secrets) if without else mock.MagicMock():
            started = time.perf_counter()
            append_message(ORIGIN, chat.uid, message(at))
            times["append a message"][without].append(time.perf_counter() - started)
            delete_message(ORIGIN, chat.uid, f"bench-{at}")
            started = time.perf_counter()
            replace_chat(ORIGIN, chat.uid, changed)
            times["replace a chat"][without].append(time.perf_counter() - started)
    result = {name: [statistics.median(values) * 1000 for values in both] for name, both in times.items()}
    sys.stdout.write(json.dumps(result))


if __name__ == "__main__":
    main()
