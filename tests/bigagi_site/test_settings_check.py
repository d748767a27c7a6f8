import os
import secrets

import pytest
from django.core.checks import Tags, run_checks
from django.db.migrations.recorder import MigrationRecorder

from bigagi_site.checks import TAG
from metrics.ledger.triggers import drop_triggers
from tests.servers import manage

pytestmark = pytest.mark.any_database


def found():
    return {message.id for message in run_checks(tags=[TAG])}


def test_the_defaults_are_in_order():
    assert found() == set()


@pytest.mark.parametrize(
    ("expected", "wrong"),
    [
        ("bigagi.E002", {"LOG_FORMAT": "xml"}),
        ("bigagi.E003", {"LOG_LEVEL": "LOUD"}),
        ("bigagi.E004", {"SECRET_KEY": "short"}),
        ("bigagi.E005", {"DEBUG": True, "ALLOWED_HOSTS": ["example.org"]}),
        ("bigagi.E005", {"DEBUG": True, "HTTPS": True}),
    ],
)
def test_wrong_combinations_are_found(settings, expected, wrong):
    for name, value in wrong.items():
        setattr(settings, name, value)
    assert found() == {expected}


def test_another_database_is_refused(settings, monkeypatch):
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", "django.db.backends.mysql")
    assert found() == {"bigagi.E001"}


@pytest.mark.django_db
def test_a_ledger_without_its_triggers_is_an_error_of_the_database():
    def found_there():
        return {message.id for message in run_checks(tags=[Tags.database], databases=["default"])}

    assert found_there() == set()
    drop_triggers()
    assert found_there() == {"bigagi.E009"}
    # Otherwise `migrate`, which looks first, could not bring a database to this version.
    MigrationRecorder.Migration.objects.filter(app="metrics", name="0004_ledger").delete()
    assert found_there() == set()


def test_data_in_the_checkout_is_warned_of(settings):
    settings.DATA_DIR = settings.BASE_DIR / "data"
    assert found() == {"bigagi.W001"}


def test_an_open_key_file_is_warned_of(settings, tmp_path):
    settings.KEY_FILE = tmp_path / "secrets.key"
    settings.KEY_FILE.write_text("key")
    settings.KEY_FILE.chmod(0o644)
    assert found() == {"bigagi.W002"}
    settings.KEY_FILE.chmod(0o600)
    assert found() == set()


def test_the_deployment_check_is_clean_with_https(environment):
    done = manage("check", "--deploy", "--fail-level", "WARNING", environment=environment | {"BIGAGI_HTTPS": "1"})
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_deployment_check_fails_without_https(environment):
    done = manage("check", "--deploy", "--fail-level", "WARNING", environment=environment)
    assert done.returncode == 1
    assert "security.W008" in done.stderr


def test_a_secret_key_is_read_from_the_environment_first(environment, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "secret_key").write_text("from the file " * 4)
    given = secrets.token_hex(32)
    show = "from django.conf import settings; print(settings.SECRET_KEY)"
    done = manage("shell", "-c", show, environment=environment | {"SECRET_KEY": given})
    assert done.stdout.splitlines()[-1] == given
    done = manage("shell", "-c", show, environment=environment)
    assert done.stdout.splitlines()[-1] == ("from the file " * 4).strip()


def test_the_tests_have_a_data_folder_of_their_own(settings):
    assert str(settings.DATA_DIR) == os.environ["BIGAGI_DATA_DIR"]
    assert settings.DATA_DIR.name.startswith("bigagi-tests-")
