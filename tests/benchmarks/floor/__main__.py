"""`python -m tests.benchmarks.floor` serves the bare views and the proxy on loopback, and prints its port."""

import os
import socket
import sys

import uvicorn
from a2wsgi import WSGIMiddleware

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.benchmarks.floor.settings"

from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application

from stores.sqlite.pool import POOL

streams = get_asgi_application()
requests = WSGIMiddleware(get_wsgi_application(), workers=10)  # type: ignore[arg-type]  # Its types are its own.


async def application(scope, receive, send):  # type: ignore[no-untyped-def]
    """Dispatch as bigagi does: what waits for nobody is cheaper in a thread."""
    await (streams if scope["path"] == "/proxy" else requests)(scope, receive, send)


if __name__ == "__main__":
    POOL.open()
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    config = uvicorn.Config(application, lifespan="off", ws="none", log_config=None, access_log=False)
    uvicorn.Server(config).run(sockets=[listener])
