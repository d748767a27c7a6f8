"""Three ways to use the chat page: by a mouse, by a keyboard alone, and by a finger on a phone."""

import re
from typing import Any, ClassVar

from playwright.sync_api import Locator, Page
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from tests.chats.chat_page import api, expect
from tests.servers import Server

MOST_STEPS = 120
SMALLEST = 40
"""In pixels, of what a finger has to meet. The page aims at 44."""
PLAIN_KEY = re.compile(r"[a-z/?]")

WHERE = """targets => {
  const at = document.activeElement;
  const name = at.getAttribute("aria-label") || at.labels?.[0]?.textContent || at.textContent || at.placeholder || "";
  const target = targets[0];
  const isBehind = Boolean(target && at.compareDocumentPosition(target) & Node.DOCUMENT_POSITION_PRECEDING);
  return [targets.includes(at), isBehind, `${at.tagName.toLowerCase()} “${name.trim().slice(0, 40)}”`];
}"""

SEEN = """at => {
  const { left, right, top: above, bottom } = at.getBoundingClientRect();
  const top = document.elementFromPoint((left + right) / 2, (Math.max(0, above) + Math.min(innerHeight, bottom)) / 2);
  return Boolean(at.matches(":focus-visible")) && (at.contains(top) || Boolean(top?.contains(at)));
}"""

CUT = """at => {
  const { left, right } = at.getBoundingClientRect();
  for (let box = at.parentElement; box; box = box.parentElement) {
    const edges = box.getBoundingClientRect();
    const clips = getComputedStyle(box).overflowX !== "visible";
    if (clips && (left < edges.left - 1 || right > edges.right + 1)) return true;
  }
  return false;
}"""


class Way:
    """How somebody presses, writes and chooses. What has a `key` is done by it, by those who have only keys."""

    name: ClassVar[str]
    device: ClassVar[dict[str, Any]] = {"viewport": {"width": 1280, "height": 800}}

    def __init__(self, page: Page, server: Server, uids: dict[str, str]) -> None:
        self.page = page
        self.server = server
        self.uids = uids
        self.toast = page.locator(".toast")

    # --- what each way does by its own means ---------------------------------------------------------------------

    def go_to(self, target: Locator) -> None:
        """Bring the focus to a field."""
        raise NotImplementedError

    def press(self, target: Locator | str, *, key: str = "", within: Locator | None = None) -> None:
        """Press a button, or what else the locator finds."""
        raise NotImplementedError

    def choose(self, item: str) -> None:
        """Take an item of the menu that is open."""
        self.press(self.page.get_by_role("menuitem", name=item, exact=True))

    def select(self, target: Locator, label: str) -> None:
        """Take an option of a browser's own list, which no test can see."""
        self.go_to(target)
        target.select_option(label=label)

    def take(self, option: Locator) -> None:
        """Take what was found in the model picker or the palette."""
        self.press(option)

    def act_on(self, turn: Locator, act: str, key: str = "") -> None:
        """Press a button of a message."""
        self.press(act, within=turn.get_by_role("group", name="Actions for this message"))

    def pick_chats(self, *titles: str) -> None:
        """Select chats of the list."""
        self.press("Select chats")
        for title in titles:
            self.press(self.chat(title))

    def open_list(self) -> None:
        """Bring the list of chats onto the screen."""

    def close_list(self) -> None:
        """Take it away, where it covers the chat."""

    # --- what all do alike ---------------------------------------------------------------------------------------

    def button(self, target: Locator | str, within: Locator | None = None) -> Locator:
        if isinstance(target, Locator):
            return target
        return (within or self.page).get_by_role("button", name=target, exact=True).first

    def chat(self, title: str) -> Locator:
        return self.page.locator(f"#chats [data-chat] a[title='{title}']")

    def write(self, label: str, text: str, role: Any = "textbox") -> None:
        """Write into a field, in place of what is there."""
        self.go_to(self.page.get_by_role(role, name=label, exact=True).last)
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(text)

    def open_chat(self, title: str) -> None:
        self.open_list()
        self.press(self.chat(title))
        expect(self.page.locator("#thread-title")).to_have_text(title)

    def choose_of_chat(self, item: str) -> None:
        self.press("Actions for this chat")
        self.choose(item)

    def undo(self, told: str) -> None:
        """Wait for the note that tells of something, and take that back."""
        expect(self.toast).to_contain_text(told)
        self.press("Undo", key="Control+z", within=self.toast)
        expect(self.page.locator("#live")).to_have_text("Undone.")

    def dialog(self, name: str) -> Locator:
        return self.page.get_by_role("dialog", name=name)

    def close(self, name: str) -> None:
        self.press("Close", key="Escape", within=self.dialog(name))
        expect(self.dialog(name)).to_be_hidden()

    def get(self, path: str) -> Any:
        return api(self.server, "GET", path)

    def check(self, feature: str) -> None:
        """Check that what was done leaves the page as it should be for what comes next."""
        assert self.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"wide after “{feature}”"
        assert self.page.evaluate("document.documentElement.scrollHeight <= innerHeight"), f"high after “{feature}”"
        expect(self.page.locator("dialog:modal")).to_have_count(0)


class Mouse(Way):
    name = "mouse"

    def go_to(self, target: Locator) -> None:
        target.click()

    def press(self, target: Locator | str, *, key: str = "", within: Locator | None = None) -> None:
        self.button(target, within).click()


class Keyboard(Way):
    name = "keyboard"

    def press(self, target: Locator | str, *, key: str = "", within: Locator | None = None) -> None:
        if key:
            self.strike(key)
            return
        self.go_to(self.button(target, within))
        self.page.keyboard.press("Enter")

    def strike(self, key: str) -> None:
        """Press a key that the help lists; where it would be typed, leave the field first."""
        if PLAIN_KEY.fullmatch(key) or key == "Control+z":
            while self.page.evaluate("document.activeElement.matches('input, textarea, select')"):
                self.page.keyboard.press("Shift+Tab")
        self.page.keyboard.press(key)

    def go_to(self, target: Locator, step: str = "Tab", back: str = "Shift+Tab") -> None:
        """Walk until the target has the focus; it must then be on screen, with nothing over it."""
        expect(target).to_be_attached()
        passed: list[str] = []
        while True:
            is_there, is_behind, here = target.evaluate_all(WHERE)
            if is_there:
                break
            passed.append(here)
            assert len(passed) <= MOST_STEPS, f"{target} was not reached; passed: {'; '.join(passed)}"
            self.page.keyboard.press(back if is_behind else step)
        expect(self.page.locator(":focus")).to_be_in_viewport()
        try:
            # As soon as the list has scrolled to it.
            self.page.wait_for_function(f"() => ({SEEN})(document.activeElement)")
        except PlaywrightTimeout as error:
            raise AssertionError(f"{target} has a focus that cannot be seen") from error

    def choose(self, item: str) -> None:
        self.go_to(self.page.get_by_role("menuitem", name=item, exact=True), "ArrowDown", "ArrowUp")
        self.page.keyboard.press("Enter")

    def select(self, target: Locator, label: str) -> None:
        self.go_to(target)
        self.page.keyboard.type(label)

    def take(self, option: Locator) -> None:
        # What was typed is enough to mean it.
        expect(option).to_have_class(re.compile("is-active"))
        self.page.keyboard.press("Enter")

    def act_on(self, turn: Locator, act: str, key: str = "") -> None:
        self.strike("k")
        self.go_to(turn, "j", "k")
        if key:
            self.page.keyboard.press(key)
        else:
            super().act_on(turn, act)

    def pick_chats(self, *titles: str) -> None:
        for title in titles:
            self.go_to(self.chat(title))
            self.page.keyboard.press("x")

    def open_list(self) -> None:
        self.strike("f")

    def check(self, feature: str) -> None:
        super().check(feature)
        assert not self.page.evaluate("document.activeElement === document.body"), f"no focus after “{feature}”"


class Phone(Way):
    """A window that is lower while something is written: the keyboard has come."""

    name = "phone"
    device: ClassVar = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}

    def go_to(self, target: Locator) -> None:
        self.fit()
        expect(target).to_be_visible()
        # What is drawn anew just then has none.
        while not (box := target.bounding_box()):
            pass
        assert min(box["width"], box["height"]) >= SMALLEST, f"{target} is too small for a finger: {box}"
        assert box["x"] >= 0 and box["x"] + box["width"] <= 390, f"{target} is cut off: {box}"
        assert not target.evaluate(CUT), f"{target} is cut off by what it stands in"
        target.tap()
        self.fit()

    def fit(self) -> None:
        has_keyboard = self.page.evaluate("document.activeElement.matches('input:not([type=checkbox]), textarea')")
        self.page.set_viewport_size({"width": 390, "height": 480 if has_keyboard else 844})

    def press(self, target: Locator | str, *, key: str = "", within: Locator | None = None) -> None:
        self.go_to(self.button(target, within))

    def open_list(self) -> None:
        self.press("Show the list of chats")

    def close_list(self) -> None:
        self.press("Hide the list of chats")

    def check(self, feature: str) -> None:
        super().check(feature)
        assert self.page.evaluate("document.getElementById('side').inert"), f"the list is open after “{feature}”"
