"""bigagi's settings, without its middleware and routes."""

from bigagi_site.settings import *  # noqa: F403

MIDDLEWARE: list[str] = []
ROOT_URLCONF = "tests.benchmarks.floor.urls"
