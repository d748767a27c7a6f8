"""The parts of pages that need no page, tested by Node.js's own runner, without packages."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.servers import REPOSITORY

CHAT_PAGE = REPOSITORY / "chats" / "static" / "chats" / "chat"
NODE = shutil.which("node")
TESTS = sorted((REPOSITORY / "tests" / "javascript").glob("*.test.mjs"))


@pytest.mark.skipif(NODE is None, reason="no Node.js is installed")
def test_pure_parts_of_pages(tmp_path: Path):
    # Modules find each other across apps, as in the one folder that a server has of them.
    for folder in REPOSITORY.glob("*/static"):
        shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    command = [str(NODE), "--experimental-default-type=module", "--test", *map(str, TESTS)]
    environment = os.environ | {"BIGAGI_STATIC": str(tmp_path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert len(TESTS) > 2
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_chat_page_asks_the_server_in_one_place():
    # There each request gets the visit that it belongs to; `network.js` only asks whether there is a server.
    asking = {
        path.name
        for path in CHAT_PAGE.glob("*.js")
        if re.search(r"(?<![\w.])(fetch\(|new EventSource|XMLHttp|sendBeacon)", path.read_text())
    }
    assert asking == {"api.js", "network.js"}
    assert [path.name for path in CHAT_PAGE.glob("*.js") if "page.visit" in path.read_text()] == []
