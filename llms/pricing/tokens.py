"""The tokens of a call, in parts that do not overlap. Pure."""

from dataclasses import dataclass, fields
from typing import Any

from stores.records.json_values import count_or_none


@dataclass(frozen=True)
class Tokens:
    """Counts of tokens; None is unknown. `reasoning` is beside `output`, not inside it."""

    input: int | None = None
    """New input, without what came from a cache or went into one."""
    cache_read: int | None = None
    cache_write: int | None = None
    output: int | None = None
    """Output that can be seen."""
    reasoning: int | None = None

    @property
    def total_input(self) -> int:
        """All input: new, read from a cache, written to one."""
        return (self.input or 0) + (self.cache_read or 0) + (self.cache_write or 0)

    @property
    def total_output(self) -> int:
        """All output, reasoning included."""
        return (self.output or 0) + (self.reasoning or 0)

    @property
    def total(self) -> int:
        return self.total_input + self.total_output

    def is_known(self) -> bool:
        """Tell whether any count is known."""
        return any(getattr(self, field.name) is not None for field in fields(self))


def tokens_of_metrics(metrics: Any) -> Tokens:
    """Return the tokens of a message's metrics (`bigagi-format.md` § 6): `TIn` is new input, `TOutR` inside `TOut`."""
    if not isinstance(metrics, dict):
        return Tokens()
    total, reasoning = count_or_none(metrics.get("TOut")), count_or_none(metrics.get("TOutR"))
    output = total if total is None or reasoning is None else max(0, total - reasoning)
    return Tokens(
        count_or_none(metrics.get("TIn")),
        count_or_none(metrics.get("TCacheRead")),
        count_or_none(metrics.get("TCacheWrite")),
        output,
        reasoning,
    )
