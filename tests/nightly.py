"""How much is tried of what could be tried for ever: all that a night has time for, or less."""

import os
from collections.abc import Sequence
from typing import Any

from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

IS_NIGHT = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
SECONDS_OF_EXAMPLES = 300 if IS_NIGHT else 12
"""How long a test may take whose single example takes long."""
FEWEST_EXAMPLES = 10


def by_day(values: Sequence[Any], *, each: int, start: int = 0) -> Sequence[Any]:
    """Return all values at night; by day the first one, and from there on each second, third (...) one.

    Walks over the same values from different starts try different ones."""
    return values if IS_NIGHT else values[start % each :: each]


def settings_for(*, seconds: float, **more: Any) -> hypothesis_settings:
    """Return the settings of a property whose single example takes so many seconds of CPU time: as many examples as
    there is time for, at most those of the profile. How slow examples may be is left to this alone."""
    examples = min(hypothesis_settings.default.max_examples, max(FEWEST_EXAMPLES, int(SECONDS_OF_EXAMPLES / seconds)))
    return hypothesis_settings(max_examples=examples, **{"suppress_health_check": list(HealthCheck)} | more)
