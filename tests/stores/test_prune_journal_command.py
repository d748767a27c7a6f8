"""`manage.py prune_journal`."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from chats.models import Conversation
from chats.services.conversations import delete_chat, patch_chat
from stores.models import Change, ChangedRecord
from stores.records.journal.purge import Size, size_of_journal
from stores.records.journal.recorder import Origin
from tests.api import make_chat

pytestmark = pytest.mark.django_db

ORIGIN = Origin(Change.Source.COMMAND)


def prune(*arguments):
    out = StringIO()
    call_command("prune_journal", *arguments, stdout=out)
    return out.getvalue()


def make_change(uid, days):
    make_chat(uid)
    change = patch_chat(ORIGIN, uid, {"userTitle": "x" * 100}).change
    Change.objects.filter(pk=change.pk).update(at=timezone.now() - timedelta(days=days))
    return change


def test_old_entries_go_and_what_they_changed_stays():
    make_change("old", 100)
    young = make_change("young", 80)
    out = prune("--older-than", "90d")
    assert out.startswith("1 of 2 entries were deleted")
    assert list(Change.objects.all()) == [young]
    assert set(ChangedRecord.objects.values_list("uid", flat=True)) == {"young"}
    assert set(Conversation.objects.values_list("uid", "user_title")) == {("old", "x" * 100), ("young", "x" * 100)}


def test_a_dry_run_tells_the_same_and_deletes_nothing():
    make_change("old", 400)
    make_change("young", 1)
    told = prune("--older-than", "1y", "--dry-run")
    assert "1 of 2 entries would be deleted" in told and Change.objects.count() == 2
    assert told.replace("would be", "were") == prune("--older-than", "1y")
    assert Change.objects.count() == 1


@pytest.mark.parametrize(("age", "left"), [("10d", 1), ("1w", 0), ("2w", 1), ("1y", 1), ("0d", 0)])
def test_ages_have_units(age, left):
    make_change("one", 8)
    prune("--older-than", age)
    assert Change.objects.count() == left


@pytest.mark.parametrize("age", ["90", "d", "-1d", "1m", "1.5d", "", "9999999d", "99999y"])
def test_what_is_no_age_is_refused(age):
    make_change("one", 8)
    with pytest.raises(CommandError):
        prune("--older-than", age)
    assert Change.objects.count() == 1


def test_more_entries_and_records_than_one_transaction_takes_go(monkeypatch):
    monkeypatch.setattr("stores.records.journal.purge.ENTRIES", 2)
    monkeypatch.setattr("stores.records.journal.purge.RECORDS", 3)
    monkeypatch.setattr("stores.records.journal.purge.PAUSE", 0)
    for number in range(5):
        change = make_change(str(number), 10)
        ChangedRecord.objects.bulk_create(
            ChangedRecord(change=change, kind="folder", uid=str(at), action="created") for at in range(8)
        )
    prune("--older-than", "1d")
    assert not Change.objects.exists() and not ChangedRecord.objects.exists()


def test_a_purge_makes_the_journal_smaller():
    make_chat("chat")
    patch_chat(ORIGIN, "chat", {"userTitle": "x" * 100})
    make_chat("other")
    delete_chat(ORIGIN, "other")
    kept = Change.objects.order_by("-pk").first().size
    delete_chat(ORIGIN, "chat", purge=True)
    assert size_of_journal() == Size(3, kept)
    assert not ChangedRecord.objects.filter(uid="chat", body__isnull=False).exists()
