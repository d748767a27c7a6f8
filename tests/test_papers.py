"""The papers beside the code say what is so: what they name is there, and what comments cite stands in them."""

import re
import subprocess
from pathlib import Path

from tests.servers import REPOSITORY

PAPERS = ("ARCHITECTURE.md", "CONTRIBUTING.md")
FORMAT = REPOSITORY / "stores" / "records" / "bigagi-format.md"
CITED = re.compile(r"bigagi-format\.md`? ?§§? ?([\d, ]+)")
LAW = re.compile(r"ARCHITECTURE\.md`?, law (\d+)")


def code() -> dict[Path, str]:
    command = ["git", "ls-files", "*.py", "*.js", "*.html", "*.css"]
    names = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout.split()
    return {REPOSITORY / name: (REPOSITORY / name).read_text() for name in names if (REPOSITORY / name).is_file()}


def test_what_the_papers_name_is_there():
    for paper in PAPERS:
        text = (REPOSITORY / paper).read_text()
        named = re.findall(r"`((?:[a-z_]+/)+(?:[\w.-]+)?|[a-z_]+\.(?:py|toml|md))`", text)
        places = [path for path in (REPOSITORY, *REPOSITORY.glob("*/"), *REPOSITORY.glob("*/*/")) if path.is_dir()]
        missing = [name for name in named if not any((place / name).exists() for place in places)]
        assert len(named) >= 5 and missing == [], paper


def test_what_comments_cite_is_written_there():
    sections = set(re.findall(r"^## (\d+)\.", FORMAT.read_text(), re.MULTILINE))
    laws = set(re.findall(r"^(\d+)\. \*\*", (REPOSITORY / "ARCHITECTURE.md").read_text(), re.MULTILINE))
    cited = 0
    for path, text in code().items():
        for found in CITED.findall(text):
            numbers = set(re.findall(r"\d+", found))
            cited += len(numbers)
            assert numbers <= sections, (path, found)
        assert set(LAW.findall(text)) <= laws, path
        if path.name != Path(__file__).name:
            assert not re.search(r"\bdesign,|\bthe design's\b|design\.md", text), path
    assert cited > 30
