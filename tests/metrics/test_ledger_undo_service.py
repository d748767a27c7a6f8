"""Undo of what wrote into the ledger, of that undo, and of those again: each call counts once, or not at all."""

import pytest
from django.db import transaction
from django.db.models import Sum

from chats.models import Message
from chats.services.messages import append_message
from llms.pricing.formula import Cost
from llms.pricing.price import Priced
from llms.pricing.tokens import Tokens
from metrics.budgets import find_budget, set_budget
from metrics.counting import read_totals, start_counting
from metrics.ledger.recording import EndedCall, record_call
from metrics.ledger.rollups import find_differences
from metrics.models import UsageDay
from metrics.reporting import read_call, report_call
from stores.models import Change
from stores.records.errors import Conflict
from stores.records.journal.recorder import Origin
from stores.records.undoing import undo
from tests.api import make_chat, make_message
from tests.metrics.events import NOON

pytestmark = pytest.mark.django_db

ORIGIN = Origin("api", "owner")


def take_back(change: Change | None) -> Change:
    assert change is not None
    undone = undo(ORIGIN, change.pk)
    assert undone is not None
    return undone


def count_calls() -> int:
    return UsageDay.objects.filter(dimension="all").aggregate(calls=Sum("calls"))["calls"] or 0


def test_a_reported_call_counts_again_and_again() -> None:
    _, change = report_call(ORIGIN, read_call({"model": "m", "cost_nano_usd": 7}, ORIGIN))
    first = take_back(change)
    assert count_calls() == 0
    with pytest.raises(Conflict, match="already"):
        take_back(change)
    second = take_back(first)
    assert count_calls() == 1
    take_back(second)
    assert count_calls() == 0
    # An earlier undo can be undone once more, as what it did stands.
    take_back(first)
    assert count_calls() == 1
    take_back(change)
    assert count_calls() == 0
    assert find_differences() == []


def test_an_answers_call_goes_and_comes_with_its_message() -> None:
    chat = make_chat()
    with transaction.atomic():
        written = append_message(ORIGIN, chat.uid, make_message("answer"))
        assert written.change is not None
        record_call(
            EndedCall(
                at=NOON,
                source="chat",
                service="s",
                vendor="v",
                model="m",
                conversation=chat.uid,
                message="answer",
                tokens=Tokens(1, None, None, 2, None),
                is_estimated=False,
                priced=Priced(Cost(5)),
                reported_nano_usd=None,
                first_ms=1,
                total_ms=2,
                outcome="done",
                raw_usage=None,
                change=written.change.pk,
            )
        )
    for _ in range(3):
        # The same change each time: it stands again, as its undo was undone.
        undone = take_back(written.change)
        assert (Message.objects.filter(uid="answer").count(), count_calls()) == (0, 0)
        take_back(undone)
        assert (Message.objects.filter(uid="answer").count(), count_calls()) == (1, 1)
    assert find_differences() == []


def test_a_budget_and_a_start_go_and_come() -> None:
    budget = set_budget(ORIGIN, "", 1000)
    _, start = start_counting(ORIGIN)
    for change, is_there in (
        (budget, lambda: find_budget("") is not None),
        (start, lambda: read_totals().since is not None),
    ):
        there = True
        for _ in range(4):
            change = take_back(change)
            there = not there
            assert is_there() is there


def test_an_undo_can_be_undone_whose_change_the_journal_has_forgotten() -> None:
    _, call = report_call(ORIGIN, read_call({"model": "m", "cost_nano_usd": 7}, ORIGIN))
    budget = set_budget(ORIGIN, "", 1000)
    undone = [take_back(change) for change in (call, budget)]
    Change.objects.filter(pk__in=[change.pk for change in (call, budget) if change is not None]).delete()
    for change in undone:
        change.refresh_from_db()
        take_back(change)
    assert count_calls() == 1 and find_budget("") is not None
    assert find_differences() == []
