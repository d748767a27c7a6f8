"""README, `.env.example` and the code know the same settings by the same names."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.servers import REPOSITORY

APPS = ("bigagi_site", "chats", "llms", "metrics", "stores", "workspace")
READ_BY_LIBRARIES = {
    *("FORWARDED_ALLOW_IPS", "HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")
}
NOT_A_SETTING = {"DJANGO_SETTINGS_MODULE"}
READER = re.compile(r"env(\.\w+)?|os\.getenv|os\.environ(\.\w+)?")


def find_names(path: Path) -> Iterator[str]:
    """Yield the names that a file reads from the environment, as `env.int("NAME")` or `os.environ["NAME"]`."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and node.args:
            function, argument = node.func, node.args[0]
        elif isinstance(node, ast.Subscript):
            function, argument = node.value, node.slice
        else:
            continue
        # Markdown's renderer, too, has a dictionary of the name `env`: its keys are in lower case.
        name = argument.value if isinstance(argument, ast.Constant) else ""
        if re.fullmatch(r"[A-Z_]+", str(name)) and READER.fullmatch(ast.unparse(function)):
            yield name


@cache
def names_in_code():
    paths = [path for app in APPS for path in (REPOSITORY / app).rglob("*.py")]
    return {name for path in paths for name in find_names(path)} - NOT_A_SETTING | READ_BY_LIBRARIES


def names_in_readme():
    section = (REPOSITORY / "README.md").read_text().split("\n## Settings\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE)
    return [name for row in rows for name in re.findall(r"`(\w+)`", row)]


def names_in_example():
    return re.findall(r"^# ([A-Z_]+)=", (REPOSITORY / ".env.example").read_text(), re.MULTILINE)


def test_it_finds_each_way_of_reading():
    assert {"BIGAGI_DATA_DIR", "BIGAGI_ENV_FILE", "BIGAGI_CALL_SECONDS", "OPENAI_API_KEY"} <= names_in_code()


def test_the_readme_lists_each_setting_once():
    assert sorted(names_in_readme()) == sorted(names_in_code())


def test_the_example_lists_each_setting_once():
    assert sorted(names_in_example()) == sorted(names_in_code())
