"""What became of records, in words."""

from django.template import Library

from bigagi_site.import_lists import WORDS, words_of
from stores.importers.words import count_kinds, name_kind
from stores.models import MigrationRun, RunRecord
from stores.records.formatting import format_text

register = Library()

kind_words = register.filter("kind_words", name_kind)


@register.filter
def outcome_words(record: RunRecord, run: MigrationRun) -> str:
    """Return what people call what became of a record in its run."""
    return words_of(run).get(record.outcome, record.outcome)


@register.filter
def why(record: RunRecord) -> str:
    """Return by which rules, or for which reason, the record was decided."""
    rules = record.rules if isinstance(record.rules, dict) else {}
    told = [f"{rule} × {count}" if count != 1 else rule for rule, count in rules.items()]
    return format_text("; ".join(dict.fromkeys([record.reason, *told] if record.reason else told)))


@register.filter
def parts_words(record: RunRecord) -> str:
    """Return what became of the record's parts: "Message: 3 new, 12 equal"."""
    found: dict[str, dict[str, int]] = {}
    for kind, outcomes in (record.parts or {}).items():
        for outcome, count in outcomes.items():
            found.setdefault(outcome, {})[kind] = count
    told = (f"{WORDS.get(outcome, outcome)}: {count_kinds(counts)}" for outcome, counts in found.items())
    return ". ".join(told) + "." if found else ""
