"""Names of files that Windows, macOS and Linux take, made of what people called a thing. Pure."""

import re
import unicodedata

MAX_CHARACTERS = 80
"""Of a name without its ending. Windows takes 260 for a whole path, which begins with where the file is unpacked."""

MAX_BYTES = 200
"""Of a name without its ending, in UTF-8. File systems of Linux take 255 with it."""

_FORBIDDEN = re.compile(r'[<>:"/\\|?*]')
_DEVICE = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?= *(?:\.|\Z))", re.IGNORECASE)


def safe_name(title: str, otherwise: str) -> str:
    """Return the title as a file's name without an ending; `otherwise` where nothing of it is left.

    The rules are those of Windows, the strictest: no `<>:"/\\|?*`, no control characters, no dot or blank at the end,
    no name of a device. Marks that turn the direction of text could show another ending than the file has.
    """
    text = unicodedata.normalize("NFC", title)
    text = "".join(" " if _is_invisible(letter) else letter for letter in text)
    text = _FORBIDDEN.sub("-", text)
    # A dot in front hides a file, a hyphen makes an option of its name.
    text = " ".join(text.split()).lstrip(".- ")
    text = _cut(text).rstrip(". ") or otherwise
    return _DEVICE.sub(r"\g<0>_", text, count=1) if _DEVICE.match(text) else text


def _is_invisible(letter: str) -> bool:
    """Tell whether it is a control or format character, half of a surrogate pair, or a separator of lines."""
    # What joins letters and drawings to one is no danger.
    return unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp") and letter not in "\u200c\u200d"


def _cut(text: str) -> str:
    return text[:MAX_CHARACTERS].encode()[:MAX_BYTES].decode("utf-8", "ignore")


class Names:
    """Gives each file of a folder a name of its own, also where "A" and "a" are one name."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._numbers: dict[str, int] = {}

    def take(self, name: str) -> str:
        """Return the name, or where it is taken the name with a number behind it."""
        key = _key(name)
        number = self._numbers.get(key, 0) + 1
        taken = name if number == 1 else f"{name} ({number})"
        while _key(taken) in self._taken:
            number += 1
            taken = f"{name} ({number})"
        self._numbers[key] = number
        self._taken.add(_key(taken))
        return taken


def _key(name: str) -> str:
    return unicodedata.normalize("NFD", name.casefold())
