"""The REST API of stores, migration runs and the journal."""

from stores.views.changes import ChangeViewSet
from stores.views.provenance import ProvenanceViewSet
from stores.views.revisions import KeptRevisionViewSet
from stores.views.run_records import RunRecordViewSet
from stores.views.runs import RunViewSet
from stores.views.stores import StoreViewSet

__all__ = [
    "ChangeViewSet",
    "KeptRevisionViewSet",
    "ProvenanceViewSet",
    "RunRecordViewSet",
    "RunViewSet",
    "StoreViewSet",
]
