"""Any sequence of writes, undone in reverse order through the journal, leads back to what was there."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given
from hypothesis import strategies as st

from stores.importers.importer import import_file
from stores.importers.options import Options
from stores.models import Change
from stores.records.errors import Conflict, ServiceError
from stores.records.jsontext import encode
from stores.records.preconditions import Stale
from stores.records.undoing import undo
from tests.nightly import settings_for
from tests.stores.imports import undone
from tests.stores.picking import origin_of
from tests.stores.whole_state import assert_same_state, assert_sound, read_state
from tests.stores.writes import WRITES, backups, picks, steps

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fast_imports")]


class Written:
    """What was written, each change with the state before it; the newest is last."""

    def __init__(self) -> None:
        self.state = read_state()
        self.changes: list[tuple[int, str, dict[str, Any]]] = []

    def write(self, name: str, at: int, other: int, value: Any) -> None:
        refusal: Exception | None = None
        try:
            WRITES[name][0](at, other, value)
        except (ServiceError, Stale) as error:
            refusal = error
        self.see(f"{name} {at} {other} {encode(value)[:300]} {refusal!r}", is_refused=refusal is not None)

    def see(self, what: str, *, is_refused: bool) -> None:
        """Look at what a call did: an entry of the journal, or nothing at all."""
        assert_sound()
        before, self.state = self.state, read_state()
        newest = Change.objects.order_by("-pk").first()
        last = self.changes[-1][0] if self.changes else 0
        if newest is None or newest.pk <= last or newest.source == Change.Source.IMPORT:
            assert_same_state(before, self.state, f"without an entry: {what}")
            return
        assert not is_refused, what
        assert newest.record_count == newest.records.count() > 0
        self.changes.append((newest.pk, what, before))

    def undo_any(self, at: int) -> None:
        """Undo some change: it may be refused, and then changes nothing."""
        if self.changes:
            pk, what, _ = self.changes[at % len(self.changes)]
            refusal = ""
            try:
                undo(origin_of(None), pk)
            except Conflict as error:
                assert pk != self.changes[-1][0], f"{error}: {what}"
                refusal = str(error)
            self.see(f"undo of {what} {refusal}", is_refused=bool(refusal))

    def undo_all(self) -> list[int]:
        """Undo every change, the newest first, and return the entries of that."""
        undos = []
        for pk, what, before in reversed(self.changes):
            undos.append(undo_or_fail(pk, what))
            assert_sound()
            assert_same_state(before, read_state(), f"undo of {what}")
        return undos


def undo_or_fail(pk: int, what: str) -> int:
    """Undo the change, which nothing newer stands on, and return the entry of that."""
    try:
        change = undo(origin_of(None), pk)
    except Conflict as error:
        raise AssertionError(f"{error} Not undone: {what}") from error
    assert change is not None, what
    return change.pk


STEPS = st.one_of(steps(), steps(), steps(), steps(), st.tuples(st.just("undo"), picks))


@settings_for(seconds=1, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(backup=backups(), deeds=st.lists(STEPS, min_size=3, max_size=9))
def test_writes_are_undone_in_reverse_order(tmp_path: Path, backup: str, deeds: list[Any]):
    path = tmp_path / "backup.agi.json"
    path.write_bytes(backup.encode())
    with undone():
        import_file(path, Options())
        assert_sound()
        written = Written()
        for name, *values in deeds:
            written.undo_any(*values) if name == "undo" else written.write(name, *values)
        last = written.state

        undos = written.undo_all()

        for pk in reversed(undos):
            undo_or_fail(pk, "an undo")
        assert_sound()
        assert_same_state(last, read_state(), "the undos undone")
