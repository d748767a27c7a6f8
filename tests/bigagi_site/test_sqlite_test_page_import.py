"""The inspection panel after a large import."""

import pytest

from tests.bigagi_site.panel import (
    count_marked,
    expect,
    faults,
    open_panel,
    run_all,
)
from tests.conftest import copy_environment
from tests.generators import write_flash_backup
from tests.servers import execute, manage, run_server

pytestmark = pytest.mark.browser
CHATS = 500
"""Of 21 messages, together about 25 MB."""


@pytest.fixture
def server(first_start, tmp_path):
    with copy_environment(first_start, tmp_path / "data") as environment:
        backup = tmp_path / "backup.json"
        write_flash_backup(backup, conversations=CHATS, images=3)
        assert backup.stat().st_size > 20_000_000
        imported = manage("import_indexeddb", str(backup), environment=environment)
        assert imported.returncode == 0, imported.stdout + imported.stderr
        with run_server(environment) as running:
            yield running


def test_all_is_green_and_nothing_of_the_import_is_touched(server, browser):
    counts = "SELECT (SELECT count(*) FROM chats_message), (SELECT count(*) FROM llms_model)"
    facts = ("SELECT uid, content_hash, revision FROM chats_conversation ORDER BY uid", counts)
    before = [execute(server.environment, fact) for fact in facts]
    totals = server.sign_in().get("/api/metrics").json()
    with open_panel(browser, server) as page:
        run_all(page)
        assert faults(page) == []
        expect(page.locator("#summary")).to_contain_text("12 of 12 passed")
        expect(page.locator("#closing")).to_contain_text("Everything was deleted")
    assert count_marked(server) == 0
    assert [execute(server.environment, fact) for fact in facts] == before
    assert len(before[0]) == CHATS
    assert server.sign_in().get("/api/metrics").json() == totals
