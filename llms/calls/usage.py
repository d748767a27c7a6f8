"""The usage of an answer, out of all chunks that tell of it. Pure."""

from collections.abc import Iterable
from typing import Any

from llms.calls.events import Usage
from llms.pricing.tokens import Tokens
from llms.vendors.usage import UsageAdapter
from stores.records.json_values import is_number


class UsageReader:
    """Joins what the chunks tell: later counts replace earlier ones, but a zero or a null replaces nothing."""

    def __init__(self, adapter: UsageAdapter) -> None:
        self._adapter = adapter
        self._usage: dict[str, Any] = {}

    def take(self, usages: Iterable[Any], otherwise: Any = None) -> Usage | None:
        """Return the usage so far, if one of these tells of it; `otherwise` is llama.cpp's, where there is no other."""
        told = [usage for usage in usages if isinstance(usage, dict) and usage]
        if not told and not self._usage and isinstance(otherwise, dict):
            told = [otherwise]
        if not told:
            return None
        for usage in told:
            self._usage = _join(self._usage, usage)
        reading = self._adapter.read(self._usage)
        return Usage(reading.tokens, self._usage, reading.reported_nano_usd)


def _join(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    joined = dict(old)
    for name, value in new.items():
        before = old.get(name)
        if isinstance(before, dict) and isinstance(value, dict):
            joined[name] = _join(before, value)
        elif before is None or not _is_nothing(value):
            joined[name] = value
    return joined


def _is_nothing(value: Any) -> bool:
    return value is None or value in ("", [], {}) or (is_number(value) and value <= 0)


def fill_tokens(tokens: Tokens, *, prompt: int, output: int, reasoning: int) -> tuple[Tokens, bool]:
    """Return the tokens with estimates in the place of what was not told or cannot be (no token for a text that came),
    and whether there are any. The estimates: of the prompt, and of the text and the reasoning that came."""
    has_input, has_output = tokens.total_input > 0, tokens.total_output > 0
    needs_output = not has_output and output + reasoning > 0
    if has_input and not needs_output:
        return tokens, False
    return (
        Tokens(
            tokens.input if has_input else prompt,
            tokens.cache_read if has_input else None,
            tokens.cache_write if has_input else None,
            output if needs_output else tokens.output,
            (reasoning or None) if needs_output else tokens.reasoning,
        ),
        True,
    )
