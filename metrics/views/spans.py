"""Days and names in query strings."""

from datetime import date
from typing import Any

from metrics.days import DAY, EARLIEST, LATEST, today
from stores.api.members import AnyMember, ShortTextMember
from stores.api.problems import bad_parameter
from stores.api.serializers import FormSerializer

DEFAULT_DAYS = 30


class DayParameter(AnyMember):
    schema = {"type": "string", "format": "date"}
    fault, code = "{name} must be a day, such as 2026-05-31.", "invalid"

    def to_internal_value(self, data: str) -> date:
        try:
            return date.fromisoformat(data)
        except ValueError:
            self.refuse()


class NameParameter(ShortTextMember):
    code = "invalid"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(200, **kwargs)
        self.fault = "{name} must be at most 200 characters, without NUL."


class SpanSerializer(FormSerializer):
    """The first and the last day that are asked for."""

    start = DayParameter(help_text=f"The first day, in your time zone; default: {DEFAULT_DAYS} days before the last.")
    end = DayParameter(help_text="The last day; default: today.")

    def validate(self, attrs: Any) -> Any:
        end = attrs.setdefault("end", today())
        # Here, as a start that is derived from it would be blamed.
        if end > LATEST:
            raise bad_parameter("end", f"end must be a day from start to {LATEST}.")
        default = max(EARLIEST, end - (DEFAULT_DAYS - 1) * DAY) if end > EARLIEST else EARLIEST
        return {"start": default} | attrs
