"""Django with its middleware; `asgi.application` serves it."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bigagi_site.settings")
application = get_wsgi_application()

from stores.background.batches import start_writers  # noqa: E402  (needs the settings)
from stores.sqlite.pool import POOL  # noqa: E402

# A server, whichever it is: what requests leave to be noted is written from now on, and connections are kept.
start_writers()
POOL.open()
