"""Schemathesis against a running server: every operation of the description, alone and in sequences.

All its checks: no server error, no status, header or body that the description does not have, what it allows is taken
and what it forbids is refused, nothing open to strangers.
"""

import functools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import generators
from tests.conftest import copy_environment
from tests.nightly import IS_NIGHT
from tests.servers import REPOSITORY, Server, run_server

pytestmark = pytest.mark.property

SEED = int(os.environ.get("SCHEMATHESIS_SEED", "20261121"))

CONFIG = """
[generation]
database = "none"

[phases.stateful]
max-steps = 10
"""


@pytest.fixture(scope="module")
def server(first_start, tmp_path_factory):
    """Yield a server that lets all try who have no valid token."""
    folder = tmp_path_factory.mktemp("schemathesis")
    generators.write_flash_backup(folder / "backup.json", 8, 5, images=2, image_side=8)
    with (
        copy_environment(first_start, folder / "data") as environment,
        run_server(environment | {"BIGAGI_THROTTLE": "0"}) as running,
    ):
        yield running


@pytest.fixture(scope="module")
def description(server, tmp_path_factory):
    """Return a file with the API's description: Schemathesis waits for it no longer than ten seconds."""
    path = tmp_path_factory.mktemp("description") / "schema.json"
    path.write_bytes(server.sign_in().get("/api/schema?format=json").body)
    return path


@pytest.fixture
def token(server):
    """Return a token, with something here to be read, changed and deleted."""
    imported = server.manage("import_indexeddb", str(server.data_dir.parent / "backup.json"), "--restore-deleted")
    assert imported.returncode == 0, imported.stdout + imported.stderr
    made = server.manage("create_token", "schemathesis")
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


@pytest.fixture
def run(server, description, token, tmp_path):
    """Return what runs Schemathesis by its phases, examples and seed."""
    return functools.partial(run_schemathesis, server, description, token, tmp_path)


def run_schemathesis(
    server: Server, description: Path, token: str, folder: Path, phases: str, examples: int, seed: int
) -> int:
    """Run Schemathesis, which must find nothing; return how many requests it made."""
    config, report = folder / "schemathesis.toml", folder / "report.ndjson"
    config.write_text(CONFIG)
    command = [
        *(str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(config)),
        *("run", str(description), "--url", server.url, "--header", f"Authorization: Bearer {token}"),
        *("--checks", "all", "--phases", phases, "--max-examples", str(examples), "--seed", str(seed)),
        *("--continue-on-failure", "--no-color", "--request-timeout", "60", "--suppress-health-check", "all"),
        *("--report", "ndjson", "--report-ndjson-path", str(report)),
    ]
    hooks = {"SCHEMATHESIS_HOOKS": "tests.bigagi_site.schemathesis_hooks", "PYTHONPATH": str(REPOSITORY)}
    environment = os.environ | hooks | {"COLUMNS": "200", "HYPOTHESIS_STORAGE_DIRECTORY": str(folder)}
    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=1500)
    assert result.returncode == 0, result.stdout[-20_000:] + result.stderr[-2_000:]
    assert server.process.poll() is None
    return count_requests(report)


def count_requests(report: Path) -> int:
    count = 0
    with report.open() as lines:
        for line in lines:
            event: dict[str, Any] = json.loads(line)
            finished = event.get("ScenarioFinished", {})
            count += len(finished.get("recorder", {}).get("interactions", ()))
    return count


def test_every_operation_is_as_it_is_described(run):
    phases, examples, least = ("coverage,fuzzing", 15, 3_000) if IS_NIGHT else ("fuzzing", 1, 75)
    assert run(phases, examples, SEED) >= least


def test_sequences_of_operations_are_as_they_are_described(run):
    # Schemathesis gives up after some 30 sequences, however many it is asked for.
    rounds, examples, least = (8, 30, 1_000) if IS_NIGHT else (1, 10, 20)
    assert sum(run("stateful", examples, SEED + at) for at in range(rounds)) >= least
