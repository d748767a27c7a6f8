"""`python -m tests.stores.everything` prints all that a data folder holds, the same for two that hold the same."""

import os
import sys

import django

if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "bigagi_site.settings"
    django.setup()
    from tests.stores.imports import everything_here

    sys.stdout.write(everything_here())
