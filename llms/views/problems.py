"""Failed calls to providers as problems of the API."""

from collections.abc import Iterator
from contextlib import contextmanager

from llms.callable_model import UnknownModel
from llms.calls.events import CallFailed
from llms.vendors.endpoint import NotCallable
from stores.api.problems import Problem
from stores.records.errors import Conflict, at


@contextmanager
def calls_told() -> Iterator[None]:
    """Turn errors of calls into problems: 409 if the call could not be made, 502 if it failed."""
    try:
        yield
    except NotCallable as error:
        raise Conflict(str(error), error.kind) from error
    except UnknownModel as error:
        raise at("/modelId", str(error), "unknown") from error
    except CallFailed as error:
        headers = {"Retry-After": str(int(error.retry_after))} if error.retry_after else {}
        problem = Problem(502, str(error), kind=error.kind, headers=headers)
        # The provider's own status: the kind of a problem says less.
        problem.extra = {"provider_status": error.status} if error.status else {}
        raise problem from error
