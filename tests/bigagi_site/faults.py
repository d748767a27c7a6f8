"""What the tests under faults of the database have in common."""

import pytest
from django.db import connection

UNDER_FAULTS = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="the harness stands below SQLite's connections"),
]
"""The marks of tests whose connections fail."""
