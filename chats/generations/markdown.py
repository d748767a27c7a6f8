"""Markdown that is still being written, rendered block by block: a block is done when another one begins."""

from chats.rendering import render_markdown, split_blocks


class BlockRenderer:
    """Renders what is new of a growing text."""

    def __init__(self) -> None:
        self._done = 0
        self._offset = 0
        self._units = 0

    def render_new(self, text: str) -> list[tuple[int, str, int]]:
        """Return number, HTML and end of the blocks that are whole now and were not before.

        The end counts UTF-16 units from the text's beginning, as browsers count.
        """
        rendered: list[tuple[int, str, int]] = []
        for block in split_blocks(text[self._offset :])[:-1]:
            self._units += len(block) + sum(character > "\uffff" for character in block)
            rendered.append((self._done, render_markdown(block), self._units))
            self._done += 1
            self._offset += len(block)
        return rendered
