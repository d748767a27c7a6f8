"""The names of exported files, and chats as Markdown: both without a database."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chats.exports.file_names import MAX_BYTES, Names, safe_name
from chats.exports.markdown import write_markdown
from chats.fragments import WholeTexts, build_block
from chats.models import Asset, Message
from chats.rendering import render_markdown
from chats.transcript import Damage, Turn

TITLES = st.text(st.characters(), max_size=300) | st.sampled_from(["con", "NUL.txt", "..", " . ", "-rf", "a" * 300])


@given(title=TITLES)
def test_any_title_is_a_name_that_all_systems_take(title):
    name = safe_name(title, "Untitled chat")
    assert name and not re.search(r'[<>:"/\\|?*\x00-\x1f\x7f]', name)
    assert name == name.strip(" ") and not name.endswith(".") and not name.startswith((".", "-"))
    assert not re.fullmatch(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?", name)
    assert len(name.encode()) <= MAX_BYTES + 1
    assert not any(unicodedata.bidirectional(letter) in ("RLO", "LRO", "RLE", "PDF", "RLI") for letter in name)


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Plans: a/b?", "Plans- a-b-"),
        ("  Two\nlines\t ", "Two lines"),
        ("LPT1", "LPT1_"),
        ("aux.notes", "aux_.notes"),
        ("report\u202efdp.exe", "report fdp.exe"),
        ("工作 🐈 é", "工作 🐈 é"),
        ("...", "Untitled chat"),
    ],
)
def test_names_are_as_people_would_write_them(title, name):
    assert safe_name(title, "Untitled chat") == name


@given(titles=st.lists(st.sampled_from(["A", "a", "A (2)", "ä", "a\u0308", "B"]), max_size=12))
def test_names_of_one_folder_differ_on_every_system(titles):
    names = Names()
    taken = [names.take(title) for title in titles]
    assert len({unicodedata.normalize("NFD", name.casefold()) for name in taken}) == len(titles)


def turn(*parts, role="assistant", assets=None, **members):
    budget = WholeTexts(renders=False)
    blocks = [
        build_block(pt, "", text, part, budget=budget, assets=assets or {}, is_typed=role == "user")
        for pt, text, part in parts
    ]
    message = Message(role=role, position=0)
    facts = {"author": "", "time": "2026-11-29 10:00:00 UTC", "edited": "", "flags": [], "quotes": [], "facts": []}
    return Turn(message=message, position=0, role=role.capitalize(), cost="", blocks=blocks, **facts | members)


def markdown(*items, **kwargs):
    return "".join(write_markdown("A *title*", "2 messages", items, **kwargs))


def test_a_chat_reads_as_markdown():
    image = Asset(uid="i", mime_type="image/png", sha256="0" * 64)
    text = markdown(
        turn(("text", "What *is* it?", {}), role="user", quotes=["quoted\ntwice"]),
        turn(
            ("ma", "Hm.", {}),
            ("text", "It is **this**.", {}),
            ("image_ref", None, {"dataRef": {"dblobAssetId": "i"}, "altText": "a [cat]"}),
            ("doc", "x = '```'", {"vdt": "application/vnd.agi.code", "l1Title": "a.py", "data": {}}),
            ("annotations", None, {"annotations": [{"url": "https://a.example/<b>", "title": "A", "refNumber": 1}]}),
            ("error", "It broke", {"hint": "Try again"}),
            author="GPT_5",
            flags=["stopped by you"],
            assets={"i": image},
        ),
        Damage(2, 1, "a message that is no object", "null"),
        path_of=lambda asset: f"../images/{asset.uid}.png",
    )
    assert text.startswith("# A \\*title\\*\n\n2 messages\n\n## You\n")
    assert "> quoted\n> twice\n\nWhat *is* it?\n" in text
    assert "## Assistant (GPT\\_5)\n\n*2026-11-29 10:00:00 UTC, stopped by you*" in text
    assert "<summary>Reasoning</summary>\n\nHm.\n\n</details>" in text
    assert "![a \\[cat\\]](../images/i.png)" in text
    assert "````py\nx = '```'\n````" in text
    assert "- \\[1\\] [A](<https://a.example/%3Cb%3E>)" in text
    assert "> **Error:** It broke\n>\n> Try again" in text
    assert "Damaged message: a message that is no object" in text


@pytest.mark.parametrize(
    ("cut", "closed"),
    [
        ("```py\nx = 1", True),
        ("~~~~\n~~~", True),
        ("```\nx\n```", False),
        ("- item\n  ```\n  x\n  ```\n\nend", False),
        ("text with ``` in it", False),
        ("```", True),
    ],
)
def test_an_answer_that_was_cut_off_in_code_does_not_swallow_what_follows(cut, closed):
    text = markdown(turn(("text", cut, {})), turn(("text", "Next", {}), role="user"))
    assert ("\n```\n\n## You" in text or "\n~~~~\n\n## You" in text) == closed or not closed
    assert re.search(r"<h\d>You</h\d>", render_markdown(text))
