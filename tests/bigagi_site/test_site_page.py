"""The pages in a browser: wide and narrow, by keyboard, without an error in the console."""

import re

import pytest

pytestmark = pytest.mark.browser
PATHS = ("/", "/import", "/settings", "/account")


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_is_wider_than_the_window(page, width):
    page.set_viewport_size({"width": width, "height": 800})
    for path in PATHS:
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_the_keyboard_reaches_the_content_first(page):
    page.goto("/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_the_navigation_leads_to_every_page_and_marks_it(page):
    page.goto("/")
    for name in ("Import", "Settings", "Account", "Chat", "Home"):
        page.get_by_role("navigation", name="Site").get_by_role("link", name=name).click()
        assert page.locator("[aria-current=page]").inner_text() == name
    for name in ("API docs", "Admin"):
        page.goto("/")
        link = page.get_by_role("navigation").get_by_role("link", name=name)
        assert page.request.get(link.get_attribute("href")).status == 200


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_stand_out_from_their_ground(page, scheme):
    """The contrast is at least 4.5 : 1 (WCAG 2.1, 1.4.3)."""
    page.emulate_media(color_scheme=scheme)
    page.goto("/")
    pairs = [("--text", "--ground"), ("--text", "--surface"), ("--text", "--sunken"), ("--quiet", "--ground")]
    pairs += [("--quiet", "--surface"), ("--accent", "--ground"), ("--accent", "--surface")]
    pairs += [("--on-accent", "--accent"), ("--accent-strong", "--accent-soft")]
    pairs += [("--good", "--good-soft"), ("--busy", "--busy-soft"), ("--bad", "--bad-soft")]
    for text, ground in pairs:
        ratio = contrast(*(read_color(page, name) for name in (text, ground)))
        assert ratio >= 4.5, f"{text} on {ground}: {ratio:.2f}"


def read_color(page, name):
    """Return red, green and blue, from 0 to 1, of what the browser makes of a variable in the scheme that is on."""
    code = page.evaluate(
        """name => {
            const probe = document.body.appendChild(document.createElement("span"));
            probe.style.color = `var(${name})`;
            const { color } = getComputedStyle(probe);
            probe.remove();
            return color;
        }""",
        name,
    )
    return [int(part) / 255 for part in re.findall(r"\d+", code)[:3]]


def contrast(one, other):
    lights = sorted(
        sum(
            weight * (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4)
            for weight, part in zip((0.2126, 0.7152, 0.0722), color, strict=True)
        )
        for color in (one, other)
    )
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def test_a_password_is_set_and_signs_in(page, server, browser):
    page.goto("/account")
    page.get_by_label("New password", exact=True).fill("staple tractor window")
    page.get_by_label("New password confirmation").fill("staple tractor window")
    page.get_by_role("button", name="Save password").click()
    assert page.get_by_role("status").inner_text() == "Password saved."
    stranger = browser.new_context(base_url=server.url).new_page()
    stranger.goto("/")
    stranger.get_by_role("textbox", name="Username").fill("owner")
    stranger.get_by_role("textbox", name="Password").fill("staple tractor window")
    stranger.get_by_role("button", name="Sign in").click()
    stranger.wait_for_url(f"{server.url}/")
    assert stranger.get_by_role("heading", level=1).inner_text() == "Welcome to bigagi"
