"""Where a person finds what a file holds: the one source for the sentence at the end of an import, the certificate, the
pages and the exit status.

A message is *here* if it can be read in a chat. What is kept whole but shown in no chat is *kept aside*. *Damaged* is
what nobody can read; its raw text is in the quarantine. *Not read* are parts of the file that were no data of big-AGI,
or came behind its end, or are cut off.
"""

from dataclasses import dataclass, field
from typing import Any

from stores.importers.copies import chat_list
from stores.importers.words import count_kinds, one_or_many, sum_kinds
from stores.records import registry

RECOVER = "import the file again and choose to recover chats (--recover)"
"""What imports what is only in a copy."""

Counts = dict[str, int]


@dataclass
class Verdict:
    """Counts by kind. `forgotten` was deleted here for good, `missing` is nowhere: a fault. `differing` counts records
    beside chats and images (settings, folders, services) that are here in another state than in the file."""

    here: Counts = field(default_factory=dict)
    aside: Counts = field(default_factory=dict)
    damaged: Counts = field(default_factory=dict)
    forgotten: Counts = field(default_factory=dict)
    missing: Counts = field(default_factory=dict)
    differing: Counts = field(default_factory=dict)
    reordered: int = 0
    """Records that stand in another order here."""
    not_read: int = 0
    recoverable: int = 0
    """Chats of which all, or some messages, are only in a copy that big-AGI itself no longer shows."""

    @classmethod
    def from_json(cls, value: Any) -> "Verdict | None":
        """Return the verdict in a certificate; None where a run of an earlier version has none."""
        return cls(**value) if isinstance(value, dict) else None

    def as_json(self) -> dict[str, Any]:
        return dict(self.__dict__)

    def add(self, place: str, kind: str, count: int = 1) -> None:
        """Count records of a kind that are in one of the places, as `here`."""
        if count:
            counts: Counts = getattr(self, place)
            counts[kind] = counts.get(kind, 0) + count

    @property
    def totals(self) -> Counts:
        """How many chats, messages and images the file has; of a file without them, what else it has."""
        places = (self.here, self.aside, self.damaged, self.forgotten, self.missing)
        kinds = dict.fromkeys(kind for counts in places for kind in counts)
        sums = {kind: sum(counts.get(kind, 0) for counts in places) for kind in kinds}
        in_lists = {kind for collection in registry.long_lists() for kind in (collection.kind, *collection.parts.kinds)}
        return {kind: sums[kind] for kind in sum_kinds() if sums.get(kind)} or {
            kind: count for kind, count in sums.items() if kind not in in_lists
        }

    @property
    def is_all_here(self) -> bool:
        """Tell whether all chats, messages and images of the file can be seen here, and nothing of it is damaged."""
        return not (self.aside or self.damaged or self.forgotten or self.missing or self.not_read or self.recoverable)

    def describe(self) -> str:
        """Return the verdict as one or more sentences."""
        text = count_kinds(self.totals)
        if self.recoverable and not self.totals.get(chat_list().kind):
            text = f"No chats, {text}" if text else "No chats"
        if self.is_all_here and not text:
            return f"The file has no chats.{self._elsewise()}"
        text = text or "Nothing"
        if self.is_all_here:
            return f"{text}: all here, verified.{self._elsewise()}"
        here = {kind: count for kind, count in self.here.items() if kind in self.totals}
        parts = [f"{text}: not all here.", f"Here: {count_kinds(here) or 'nothing'}."]
        if self.aside:
            parts.append(f"Kept aside: {count_kinds(self.aside)} (see Earlier versions and Changes in the admin).")
        if self.damaged:
            parts.append(f"Damaged: {count_kinds(self.damaged)} (see Quarantine in the admin).")
        if self.forgotten:
            parts.append(f"Permanently deleted here: {count_kinds(self.forgotten)}.")
        if self.missing:
            parts.append(f"Missing: {count_kinds(self.missing)} (see the certificate).")
        if self.not_read:
            parts.append(f"Not read: {one_or_many(self.not_read, 'part')} of the file (see the error log).")
        if self.recoverable:
            has = "has" if self.recoverable == 1 else "have"
            text = one_or_many(self.recoverable, "chat")
            parts.append(f"{text} {has} messages that are only in big-AGI's older copy: {RECOVER}.")
        return " ".join(parts) + self._elsewise()

    def _elsewise(self) -> str:
        text = ""
        if self.differing:
            are = "is" if sum(self.differing.values()) == 1 else "are"
            text = f" {count_kinds(self.differing)} {are} different here; the version from the file is kept aside."
        if self.reordered:
            are = "is" if self.reordered == 1 else "are"
            text += f" {one_or_many(self.reordered, 'record')} {are} in another order here."
        return text
