"""Which pieces belong to one call of a tool. Pure.

OpenAI gives each call an `index`. Gemini gives none and sends whole calls; others give every call the index 0."""

import json
from dataclasses import dataclass, replace

from llms.calls.events import ToolCall


@dataclass
class _Call:
    id: str = ""
    name: str = ""
    arguments: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether the arguments are whole JSON."""
        if not self.arguments.endswith(("}", "]")):
            return False
        try:
            json.loads(self.arguments)
        except (ValueError, RecursionError):
            return False
        return True


class ToolCalls:
    """Numbers the calls of an answer, from 0."""

    def __init__(self) -> None:
        self._calls: list[_Call] = []
        self._latest: dict[int, int] = {}
        """The number of the latest call under each index of the provider's; -1 stands for none."""

    def place(self, piece: ToolCall) -> ToolCall:
        """Return the piece under the number of its call, without what it repeats of it."""
        number = self._number_of(piece)
        call = self._calls[number]
        name = "" if call.name and (call.name == piece.name or call.arguments) else piece.name
        is_repeat = bool(piece.arguments) and piece.arguments == call.arguments and call.is_whole
        arguments = "" if is_repeat else piece.arguments
        call.id, call.name = call.id or piece.id, call.name + name
        call.arguments += arguments
        return replace(piece, index=number, name=name, arguments=arguments)

    def _number_of(self, piece: ToolCall) -> int:
        number = self._latest.get(piece.index)
        if number is None and piece.index < 0 and piece.id:
            number = next((at for at, call in enumerate(self._calls) if call.id == piece.id), None)
        if number is None or self._begins(piece, self._calls[number]):
            number = next((at for at, call in enumerate(self._calls) if piece.id and call.id == piece.id), None)
            if number is None:
                number = len(self._calls)
                self._calls.append(_Call())
        self._latest[piece.index] = number
        return number

    @staticmethod
    def _begins(piece: ToolCall, call: _Call) -> bool:
        """Tell whether the piece begins another call than the one with its index."""
        if piece.id and call.id:
            # Some give each piece an id of its own; what has no name begins nothing.
            return piece.id != call.id and (bool(piece.name) or not call.name or call.is_whole)
        if piece.index < 0 and piece.name and call.name and piece.name != call.name:
            # Only pieces with an index have a name in pieces.
            return True
        return bool(piece.name) and call.is_whole and (piece.arguments != call.arguments or piece.name != call.name)
