"""The result of a write."""

from dataclasses import dataclass, field
from typing import Any

from stores.models import Change


@dataclass
class Written:
    """The record as it is kept now (secrets are references), its row, and the journal's entry.

    `change` is None where nothing was changed."""

    value: Any
    row: Any
    change: Change | None = None
    lost_keys: list[str] = field(default_factory=list)
    dropped_keys: list[str] = field(default_factory=list)
