"""big-AGI's preferences (`app-ui`, `app-ux-labs`) as the settings page shows and changes them.

Only the members that a person changed are written: what another tab saved meanwhile stays, and so does every member
that nobody here knows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chats.pages.preferences import HONOURED, is_one_of
from stores.defaults import DEFAULTS
from stores.models import Change, Store
from stores.records.errors import Conflict, Invalid, Missing, Taken
from stores.records.formatting import format_json
from stores.records.journal.recorder import Origin
from stores.services.stores import create_store, patch_store

STORED = "stored"
"""The choice that keeps a stored value which is none of those offered."""


@dataclass(frozen=True)
class Preference:
    """One member of a store, with its values as people read them."""

    store: str
    member: str
    label: str
    options: tuple[tuple[Any, str], ...]

    @property
    def default(self) -> Any:
        """What big-AGI has where nothing is stored."""
        return DEFAULTS[self.store]["state"][self.member]

    def code_of(self, value: Any) -> str:
        """Return what a form calls the value; one that is not offered is called `STORED`."""
        known = HONOURED[self.store][self.member]
        return str(value).lower() if is_one_of(value, known) else STORED

    def value_of(self, code: str) -> Any:
        """Return the value that a form calls so. Raises `Invalid`."""
        for value, _ in self.options:
            if self.code_of(value) == code:
                return value
        raise Invalid(f"{self.label}: choose one of the options.")


PREFERENCES = (
    Preference(
        "app-ui",
        "enterIsNewline",
        "The Enter key",
        ((False, "Sends the message (Shift+Enter: new line)"), (True, "Starts a new line (Ctrl+Enter: send)")),
    ),
    Preference(
        "app-ui",
        "doubleClickToEdit",
        "A double-click on a message",
        ((False, "Selects a word"), (True, "Edits the message")),
    ),
    Preference("app-ui", "contentScaling", "Text size", (("xs", "Small"), ("sm", "Medium"), ("md", "Large"))),
    Preference("app-ui", "centerMode", "Width of a chat", (("narrow", "Narrow"), ("wide", "Wide"), ("full", "Full"))),
    Preference(
        "app-ui",
        "renderCodeSoftWrap",
        "Long lines of code",
        ((False, "Scroll sideways"), (True, "Continue on the next line")),
    ),
    Preference(
        "app-ux-labs",
        "labsScreenWakeLock",
        "The screen during an answer",
        ((True, "Stays on"), (False, "May turn off")),
    ),
)
"""What the chat page honours."""

_LABELS = {
    "preferredLanguage": "Language",
    "complexityMode": "How much is shown",
    "disableMarkdown": "Show Markdown as plain text",
    "messageFullWidth": "Full-width messages",
    "renderCodeLineNumbers": "Line numbers in code",
    "showPersonaFinder": "Search box for personas",
    "showModelsFn": "Show models that only call functions",
    "showModelsHidden": "Show hidden models",
    "showModelsStarredOnly": "Show only starred models",
    "modelsStarredOnTop": "Starred models first",
    "composerQuickButton": "Button beside the message box",
    "aixInspector": "Request inspector",
    "dismissals": "Notices that you closed",
    "actionCounters": "Usage counts",
    "panelGroupCollapseStates": "Panels that you folded",
    "labsHighPerformance": "Draw answers as fast as possible",
    "labsAutoHideComposer": "Hide the message box automatically",
    "labsShowShortcutBar": "Shortcut bar",
    "labsComposerAttachmentsInline": "Inline attachments",
    "labsLosslessImages": "Lossless images",
    "labsSingleDollarLatex": "Math between single dollar signs",
}
"""What people call the members that bigagi only keeps."""


@dataclass(frozen=True)
class Field:
    """A preference as a form shows it."""

    preference: Preference
    name: str
    current: str
    options: list[tuple[str, str]]


@dataclass(frozen=True)
class Kept:
    """A member that is kept for big-AGI and does nothing here."""

    name: str
    label: str
    value: str
    is_long: bool


@dataclass(frozen=True)
class KeptStore:
    """The members of one store that do nothing here. Where the state is no object, `odd` shows it."""

    name: str
    is_here: bool
    members: list[Kept]
    odd: str = ""


def read_fields(states: Mapping[str, Any]) -> list[Field]:
    """Return the form's fields for the states of the stores."""
    fields = []
    for preference in PREFERENCES:
        state = states.get(preference.store)
        members = state if isinstance(state, dict) else {}
        value = members.get(preference.member, preference.default)
        current = preference.code_of(value)
        options = [(preference.code_of(one), label) for one, label in preference.options]
        if current == STORED:
            options.append((STORED, f"As stored: {format_json(value)} (not known here, so big-AGI's default is used)"))
        fields.append(Field(preference, f"{preference.store}.{preference.member}", current, options))
    return fields


def read_changes(posted: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return by store the members that the person changed in the form. Raises `Invalid`.

    The form says what it showed (`was.…`): a field that is as it was shown is not the person's wish."""
    changes: dict[str, dict[str, Any]] = {}
    for preference in PREFERENCES:
        name = f"{preference.store}.{preference.member}"
        asked = posted.get(name)
        if asked is None or asked == STORED or asked == posted.get(f"was.{name}"):
            continue
        changes.setdefault(preference.store, {})[preference.member] = preference.value_of(asked)
    return changes


def save_preferences(origin: Origin, store: str, members: Mapping[str, Any]) -> Change | None:
    """Write these members of the store, which is made with big-AGI's defaults where it is missing. Raises `Conflict`
    where something else stands there than big-AGI's state."""
    row = Store.objects.filter(name=store).first()
    if row is not None and not (row.shape == Store.Shape.ENVELOPE and isinstance(row.data, dict)):
        raise Conflict(
            f"Nothing was saved: {store} does not hold what big-AGI keeps there. Look at it in the admin (Stores). "
            "Restore an earlier revision, or replace it over the API."
        )
    try:
        return patch_store(origin, store, {"state": dict(members)}).change
    except Missing:
        pass
    default = DEFAULTS[store]
    try:
        return create_store(origin, store, default | {"state": default["state"] | members}).change
    except Taken:
        # Another tab made it just now.
        return patch_store(origin, store, {"state": dict(members)}).change


def read_states() -> dict[str, Any]:
    """Return the states of the stores of preferences that are here."""
    return dict(Store.objects.filter(name__in=HONOURED).values_list("name", "data"))


def read_kept(states: Mapping[str, Any]) -> list[KeptStore]:
    """Return what is only kept for big-AGI, by store."""
    kept = []
    for store, honoured in HONOURED.items():
        state = states.get(store, {})
        if isinstance(state, dict):
            members = [_show(name, value) for name, value in state.items() if name not in honoured]
            kept.append(KeptStore(store, store in states, members))
        else:
            kept.append(KeptStore(store, True, [], format_json(state)))
    return kept


def _show(name: str, value: Any) -> Kept:
    if isinstance(value, bool):
        text = "on" if value else "off"
    elif isinstance(value, str):
        text = value or "(empty)"
    elif value in ({}, []):
        text = "none"
    else:
        text = format_json(value)
    return Kept(name, _LABELS.get(name, name), text, isinstance(value, dict | list) and bool(value))
