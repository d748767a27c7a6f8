"""What the tests of faults share."""

from collections.abc import Iterator

import pytest

from tests.faulty_database import Plan, faulty_connections


@pytest.fixture
def plan(transactional_db: None) -> Iterator[Plan]:
    """Yield the plan of which write of this process fails."""
    with faulty_connections() as plan:
        yield plan
