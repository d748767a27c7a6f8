"""What all tests share: a data folder of their own, real files, a browser, and a server in a process."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

# Before the settings are read: no test may touch the data of the person who runs it.
_data_dir = tempfile.TemporaryDirectory(prefix="bigagi-tests-", ignore_cleanup_errors=True)
os.environ["BIGAGI_DATA_DIR"] = _data_dir.name
for name in ("BIGAGI_KEY_FILE", "BIGAGI_HTTPS", "BIGAGI_ALLOWED_HOSTS", "SECRET_KEY", "DEBUG", "LOG_FORMAT"):
    os.environ.pop(name, None)

hypothesis_settings.register_profile("default", max_examples=50, deadline=None)
hypothesis_settings.register_profile(
    "ci", max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

REPOSITORY = Path(__file__).resolve().parent.parent
CHROMIUM_PATHS = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")


def skip_unless_ci(reason: str) -> None:
    """Skip the test for a thing that this machine lacks; where BIGAGI_CI=1 promises it, fail."""
    if os.environ.get("BIGAGI_CI") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of files that big-AGI wrote (`small` of the shared data)."""
    path = REPOSITORY.parent / "shared" / "data" / "small"
    if not path.is_dir():
        skip_unless_ci(f"the files that big-AGI wrote are not at {path}")
    return path


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of the system's Chromium."""
    for path in CHROMIUM_PATHS:
        if os.access(path, os.X_OK):
            return path
    skip_unless_ci("no Chromium is installed (apt-get install chromium)")
    raise AssertionError
