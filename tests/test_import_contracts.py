"""The walls between packages (`[tool.importlinter]` of pyproject.toml): they are kept, and a breach of each is seen."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import REPOSITORY

PACKAGES = ("bigagi_site", "chats", "llms", "metrics", "stores", "workspace")
BREACHES = {
    "Apps import one way": ("llms/querysets.py", "from metrics import money"),
    "The kernel knows no app, no importer and no HTTP": ("stores/records/sql.py", "from rest_framework import status"),
    "What REST views share is imported by the HTTP layer alone": (
        "chats/services/ids.py",
        "from stores.api import problems",
    ),
    "The admin is imported by admins alone": ("chats/transcript.py", "from stores.admin import display"),
    "No packages import each other in a circle": ("stores/records/jsontext.py", "from stores.records import codecs"),
}


def check_imports(folder: Path) -> str:
    """Return what import-linter says of the packages in the folder."""
    program = "import sys; from importlinter.cli import lint_imports_command as run; sys.path.insert(0, ''); run()"
    command = [sys.executable, "-c", program, "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120).stdout


def test_all_walls_are_kept():
    told = check_imports(REPOSITORY)
    assert f"Contracts: {len(BREACHES)} kept, 0 broken." in told, told


@pytest.mark.slow
def test_a_breach_of_each_wall_is_seen(tmp_path: Path):
    for package in PACKAGES:
        shutil.copytree(
            REPOSITORY / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__", "static")
        )
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    for path, line in BREACHES.values():
        module = tmp_path / path
        module.write_text(f"{module.read_text()}\n{line}\n")
    told = check_imports(tmp_path)
    assert f"Contracts: 0 kept, {len(BREACHES)} broken." in told, told
