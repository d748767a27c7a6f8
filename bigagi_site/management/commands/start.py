import gc
import os
import signal
import sys
from socket import socket
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.checks import run_checks
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connections

from bigagi_site import startup
from bigagi_site.checks import TAG
from bigagi_site.data_watch import watch_data
from bigagi_site.services import create_sign_in_link, get_owner
from stores.background.batches import stop_writers
from stores.backups.intact import describe_missing_database, find_damage
from stores.records.faults import describe_fault, fault_of
from stores.sqlite.pool import POOL

if TYPE_CHECKING:
    import uvicorn

STREAM_SECONDS = 3
"""How long open streams may continue after Ctrl-C."""

KEEP_ALIVE_SECONDS = 75
"""How long a connection may be idle: longer than clients keep one (5 to 60 s), so that none sends its next request
into one that is being closed."""

RUN_SECONDS = 1.5
"""How long answers that stream may then take to be stored."""

WRITE_SECONDS = 1
"""How long the logs may then be written, if the database is busy."""


class Command(BaseCommand):
    help = "Set up what is missing, print where the data is stored and a one-time sign-in link, and serve."
    requires_system_checks: list[str] = []  # Those that matter here are run below; all of them take a second.

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
        parser.add_argument(
            "--port", type=int, default=8000, help="port to listen on (default: 8000; 0: any free port)"
        )
        parser.add_argument("--link", action="store_true", help="print a sign-in link even if this is not a terminal")

    def handle(self, *args: Any, host: str, port: int, link: bool, **options: Any) -> None:
        try:
            self.run_own_checks()
            startup.prepare_data_dir()
            lock = startup.acquire_lock()
            listener = startup.open_socket(host, port)
            base_url = startup.fill_allowed_hosts(host, listener.getsockname()[1])
            self.prepare_database()
            startup.write_server_url(base_url)
        except startup.StartupError as error:
            raise CommandError(str(error), returncode=2) from error
        except KeyboardInterrupt as error:
            raise CommandError("Stopped before the server had started.", returncode=130) from error
        try:
            server = self.build_server()
            # From here on a signal asks the server to end: raised as an exception, it could be lost in some callback,
            # and the server would run on.
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, server.handle_exit)
            self.greet(host, listener.getsockname()[1], base_url, with_link=link or sys.stdout.isatty())
            self.serve(server, listener)
        except KeyboardInterrupt:
            pass
        finally:
            lock.release()
        self.leave()

    def run_own_checks(self) -> None:
        for message in run_checks(tags=[TAG]):
            if message.is_serious():
                raise startup.StartupError(f"{message.msg} {message.hint or ''} ({message.id})")
            self.stderr.write(self.style.WARNING(f"Warning: {message.msg} {message.hint or ''} ({message.id})"))

    def prepare_database(self) -> None:
        missing = describe_missing_database()
        if backup := startup.prepare_database():
            self.stdout.write(f"Backup before the migration: {backup.path}")
        key_faults = startup.finish_preparing()
        watch_data()
        if missing:
            self.stderr.write(self.style.WARNING(f"Warning: {missing}"))
        if damage := find_damage():
            self.stderr.write(self.style.WARNING(f"Warning: {damage} What can be read is served."))
        for fault in key_faults:
            self.stderr.write(self.style.WARNING(f"Warning: {fault} Chats still work."))

    def greet(self, host: str, port: int, base_url: str, *, with_link: bool) -> None:
        self.stdout.write(f"Data:     {settings.DATA_DIR}")
        self.stdout.write(f"Database: {startup.describe_database()}")
        self.stdout.write(f"Key file: {settings.KEY_FILE}  (if you lose it, you lose stored API keys, but no chats)")
        self.stdout.write(f"Server:   {base_url}  (press Ctrl-C to stop)")
        if settings.HTTPS:
            self.stdout.write(f"Listens:  {host}, port {port}. Forward requests from your proxy to this address.")
        if not startup.is_loopback(host) and not settings.HTTPS:
            self.stderr.write(
                self.style.WARNING(
                    f"Warning: other machines can reach {host}, and everything you read and type is sent "
                    "unencrypted. Use a proxy with a certificate and set BIGAGI_HTTPS=1, or start on "
                    "127.0.0.1 and connect with: ssh -L 8000:127.0.0.1:8000 <this machine>"
                )
            )
        if settings.HTTPS and base_url.startswith("https://localhost:"):
            hint = "Set BIGAGI_ALLOWED_HOSTS to the name that your proxy serves."
            self.stderr.write(self.style.WARNING(f"Warning: BIGAGI_HTTPS is on, but no host name is set. {hint}"))
        if with_link:
            self.print_link(base_url)
        self.stdout.flush()

    def print_link(self, base_url: str) -> None:
        try:
            owner = get_owner()
            if owner:
                self.stdout.write(f"\nSign in:  {create_sign_in_link(owner, base_url)}")
                self.stdout.write("The link works once, for 15 minutes. To get another: uv run manage.py sign_in_link")
        except DatabaseError as error:
            if fault_of(error) is None:
                raise
            # Who is signed in can still read.
            text = f"Warning: no sign-in link could be made. {describe_fault(error)}"
            self.stderr.write(self.style.WARNING(text))

    def build_server(self) -> "uvicorn.Server":
        # Here and not above: other commands, and a start that is refused, need neither.
        import uvicorn

        from bigagi_site.asgi import application
        from bigagi_site.protocol import LimitedProtocol
        from chats.generations.engine import get_engine, shut_down
        from stores.importers.following import let_followers_go

        class Server(uvicorn.Server):
            async def startup(self, sockets: list[socket] | None = None) -> None:
                await super().startup(sockets)
                # It closes answers of other servers whose lease ends, even if nobody asks for one here.
                get_engine()

            async def shutdown(self, sockets: list[socket] | None = None) -> None:
                # Readers of answers are let go by that, where uvicorn would wait for them.
                await shut_down(RUN_SECONDS)
                await let_followers_go()
                await super().shutdown(sockets)

        config = uvicorn.Config(
            application,
            http=LimitedProtocol,
            lifespan="off",
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=STREAM_SECONDS,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
        )
        return Server(config)

    def serve(self, server: "uvicorn.Server", listener: socket) -> None:
        # Objects loaded by now are permanent: the garbage collector need not scan them again, and can run less often.
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 20, 20)
        server.run(sockets=[listener])

    def leave(self) -> None:
        """End the process even if a request still holds a thread, for which the interpreter would wait forever."""
        stop_writers(WRITE_SECONDS)
        connections.close_all()
        POOL.close()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)
