"""What the owner should know of a file and its import, told at its end."""

from stores.importers.items import FileFacts
from stores.importers.kinds import FLASH
from stores.importers.record_writer import RecordWriter
from stores.importers.run import Progress
from stores.importers.words import one_or_many
from stores.records import registry
from stores.records.editing import tell_dropped


def mark_begin(progress: Progress) -> None:
    """Note what is here before the import, of which is told in the end what came since."""
    marks = progress.checkpoint.setdefault("marks", {})
    for spec in registry.all_specs(with_databases=True):
        if spec.name not in marks:
            marks[spec.name] = spec.mark()


def tell_facts(progress: Progress, writer: RecordWriter, facts: FileFacts) -> None:
    """Add the notes on a file to its run."""
    note = progress.note
    for collection in registry.long_lists() if facts.kind == FLASH else ():
        if collection.if_absent and collection.kind not in facts.tables:
            note(collection.if_absent)
    if facts.kind == FLASH and not facts.has_settings:
        note("The file has no settings.")
    if writer.sealer.count:
        keys = one_or_many(writer.sealer.count, "API key")
        note(f"The file contains {keys} in plain text: delete it, or keep it where nobody else can read it.")
    if writer.lost_keys:
        named = ", ".join(sorted(set(writer.lost_keys)))
        note(f"These keys are now empty, because the file has only their markers and no key is stored: {named}.")
    if writer.dropped_keys:
        note(tell_dropped(writer.dropped_keys))
    specs = registry.all_specs(with_databases=True)
    for text in (text for spec in specs for text in spec.inspect()):
        note(text)
    marks = progress.checkpoint.get("marks", {})
    for text in (text for spec in specs if spec.name in marks for text in spec.tell_since(marks[spec.name])):
        note(text)
