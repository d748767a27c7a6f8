"""bigagi's settings with the floor's routes beside the API's."""

from bigagi_site.settings import *  # noqa: F403

ROOT_URLCONF = "tests.benchmarks.floor.urls"
