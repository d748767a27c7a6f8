from pathlib import Path

import pytest

from tests.servers import manage

pytestmark = pytest.mark.any_database


@pytest.mark.parametrize(
    "command",
    [
        ("migrate",),
        ("createsuperuser",),
        ("backup",),
        ("create_token", "script"),
        ("sign_in_link",),
        ("migration_status",),
        ("prune_journal", "--older-than", "90d"),
        ("rebuild_ledger",),
    ],
    ids=lambda command: command[0],
)
def test_without_a_data_folder_a_command_makes_it_or_says_in_one_line_what_to_do(environment, command):
    if "DATABASE_URL" in environment:
        pytest.skip("the database is not in the data folder")
    done = manage(*command, environment=environment)
    if Path(environment["BIGAGI_DATA_DIR"]).is_dir() and done.returncode == 0:
        return
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert "manage.py" in line and "start" in line
