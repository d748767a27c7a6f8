"""Days and names in query strings."""

from datetime import date

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from metrics.days import DAY, EARLIEST, LATEST, today
from stores.api.problems import bad_parameter
from stores.api.serializers import TEXT
from stores.codecs import is_storable

DEFAULT_DAYS = 30
NAME = {"type": "string", "maxLength": 200, "pattern": TEXT}
SPAN = [
    OpenApiParameter(
        "start",
        OpenApiTypes.DATE,
        description=f"The first day, in your time zone; default: {DEFAULT_DAYS} days before the last.",
    ),
    OpenApiParameter("end", OpenApiTypes.DATE, description="The last day; default: today."),
]


def read_span(request: Request) -> tuple[date, date]:
    """Return the first and the last requested day. Raises `Problem` for invalid days."""
    end = _read_day(request, "end") or today()
    # Here, as a start that is derived from it would be blamed.
    if end > LATEST:
        raise bad_parameter("end", f"end must be a day from start to {LATEST}.")
    start = _read_day(request, "start")
    if start is None:
        start = max(EARLIEST, end - (DEFAULT_DAYS - 1) * DAY) if end > EARLIEST else EARLIEST
    return start, end


def read_name(request: Request, name: str) -> str | None:
    """Return a requested name, or None. Raises `Problem` for an invalid one."""
    value: str = request.query_params.get(name, "")
    if not is_storable(value) or len(value) > 200:
        raise bad_parameter(name, f"{name} must be at most 200 characters, without NUL.")
    return value or None


def _read_day(request: Request, name: str) -> date | None:
    text: str = request.query_params.get(name, "")
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise bad_parameter(name, f"{name} must be a day, such as 2026-05-31.") from error
