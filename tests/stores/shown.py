"""What a person finds here: chats with their texts as the API shows them, held against what an import says."""

import re
from collections import Counter
from typing import Any

from django.test import Client

from stores.importers.report import proof
from stores.importers.verdict import Verdict
from stores.models import MigrationRun

NOUNS = {"chat": "conversation", "message": "message", "image": "asset"}


def read_pages(get: Any, address: str) -> list[Any]:
    """Return all records of a list. `get` answers with the JSON of an address."""
    found = []
    mark = "&" if "?" in address else "?"
    following: str | None = f"{address}{mark}page_size=200"
    while following:
        page = get(following)
        found += page["results"]
        following = page["next"]
    return found


def texts_of(message: Any) -> str:
    """Return the text that a person reads in a message."""
    parts = [fragment.get("part") for fragment in message["fragments"] if isinstance(fragment, dict)]
    return "".join(str(part.get("text", "")) for part in parts if isinstance(part, dict))


def shown_chats(get: Any) -> dict[str, list[str]]:
    """Return the texts of each chat that can be seen, by its title, and where it has none, by its id."""
    shown = {}
    for chat in read_pages(get, "/api/chats"):
        messages = read_pages(get, f"{chat['_server']['href']}/messages")
        assert len({message["id"] for message in messages}) == len(messages)
        title = chat.get("userTitle") or chat.get("autoTitle") or chat["id"]
        shown[title] = [texts_of(message) for message in messages]
    return shown


def getter(client: Client) -> Any:
    """Return what asks Django's test client for the JSON of an address."""

    def get(address: str) -> Any:
        answer = client.get(address)
        assert answer.status_code == 200, answer.content[:500]
        return answer.json()

    return get


def counts_in(sentence: str) -> Counter[str]:
    """Return the counts by kind that the sentence gives for what is here."""
    told = re.search(r"Here: ([^.]*)\.", sentence)
    listed = told[1] if told else sentence.partition(":")[0]
    return Counter({NOUNS[noun]: int(count) for count, noun in re.findall(r"(\d+) (chat|message|image)s?\b", listed)})


def assert_sentence_is_true(get: Any, run: MigrationRun) -> Verdict:
    """Assert that the last sentence of the first import counts as here just what can be seen here."""
    sentence = proof(run)
    verdict = Verdict.from_json((run.certificate or {}).get("verdict"))
    assert verdict is not None
    assert sentence.startswith(verdict.describe())
    shown = Counter[str]()
    for chat in read_pages(get, "/api/chats"):
        shown["conversation"] += 1
        shown["message"] += get(f"{chat['_server']['href']}/messages?count=1&page_size=1")["count"]
    shown["asset"] = get("/api/assets?count=1&page_size=1")["count"]
    assert counts_in(sentence) == +shown, sentence
    assert {kind: verdict.here.get(kind, 0) for kind in shown} == dict(shown), sentence
    is_whole = not any((verdict.damaged, verdict.aside, verdict.missing, verdict.not_read, verdict.recoverable))
    assert ("all here, verified" in sentence or sentence == "The file has no chats.") == is_whole
    assert ("not all here" in sentence) != is_whole
    return verdict
