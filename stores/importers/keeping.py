"""States of records that no record here shows, kept whole as revisions."""

from collections.abc import Iterable, Sequence

from stores.importers.decision import Candidate
from stores.models import MigrationRun, Revision
from stores.records import jsontext
from stores.records.collections import Collection


def keep_sources(run: MigrationRun | None, collection: Collection, candidates: Sequence[Candidate]) -> None:
    """Keep whole what the source has and no record here shows."""
    if not candidates:
        return
    kind, uids = collection.kind, [candidate.uid for candidate in candidates]
    kept = set(Revision.objects.filter(kind=kind, uid__in=uids).values_list("uid", "content_hash"))
    texts = [(candidate.uid, collection.text_of(candidate.value)) for candidate in candidates]
    keep_revisions(
        run, [(kind, uid, "source", text) for uid, text in texts if (uid, jsontext.digest(text)) not in kept]
    )


def keep_revisions(run: MigrationRun | None, revisions: Iterable[tuple[str, str, str, str]]) -> None:
    """Keep JSON texts, given as kind, id, reason and text; what is kept already is not kept twice."""
    Revision.objects.bulk_create(
        [
            Revision(
                kind=kind,
                uid=uid[:500],
                reason=reason,
                body=text,
                size=len(text),
                content_hash=jsontext.digest(text),
                run=run,
            )
            for kind, uid, reason, text in revisions
        ],
        ignore_conflicts=True,
    )
