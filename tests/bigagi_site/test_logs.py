"""Lines of the log: by their parts' names, with the request's id, and never with texts of messages or keys."""

import io
import json
import logging
import sqlite3
from contextlib import closing

import pytest
import structlog
from django.db import IntegrityError, OperationalError
from django.http import StreamingHttpResponse

from bigagi_site.logs import PARTS, build_formatter, build_logging
from bigagi_site.middleware import RequestLogMiddleware
from bigagi_site.tracebacks import format_exception
from stores.api.middleware import ApiMiddleware
from stores.records.key_shapes import hide_keys
from tests.api import sign_in
from tests.chats.talking import LIMITS, Talker
from tests.faulty_provider import FAULTS, KEY, FaultyProvider
from tests.providers import run_provider
from tests.servers import manage, run_server

pytestmark = pytest.mark.any_database

TEXT = "Dear diary, nobody may read this"
KEY_SEEDED = "sk-proj-Zx81kLmN0pQrStUvWxYz1234567890abcd"
SECRETS = {
    "OpenAI's": KEY_SEEDED,
    "Google's": "AIzaSyA1234567890abcdefghijklmnopqrstuv",
    "Amazon's": "AKIAIOSFODNN7EXAMPLE",
    "Groq's": "gsk_Zx81kLmN0pQrStUvWxYz1234",
    "xAI's": "xai-Zx81kLmN0pQrStUvWxYz1234",
    "Hugging Face's": "hf_Zx81kLmN0pQrStUvWxYz1234",
    "Perplexity's": "pplx-Zx81kLmN0pQrStUvWxYz1234",
    "GitHub's": "ghp_Zx81kLmN0pQrStUvWxYz1234",
    "a token": "Bearer 4f3c9a7be1",
    "a password": "postgres://owner:hunter2hunter2@db/chats",
    "a query's": "https://provider.example/v1?api_key=hunter2hunter2",
}
HIDDEN = ("hunter2", "4f3c9a7be1", *list(SECRETS.values())[:8])


class Sink(logging.StreamHandler):
    """Collects lines as one of the formats has them."""

    def __init__(self, log_format):
        super().__init__(io.StringIO())
        self.setFormatter(build_formatter(log_format))

    @property
    def text(self):
        return self.stream.getvalue()

    def read(self):
        return [json.loads(line) for line in self.text.splitlines()]


@pytest.fixture
def sink(request):
    """Return what gets all lines, as JSON or as the parameter says."""
    handler = Sink(getattr(request, "param", "json"))
    root = logging.getLogger()
    root.addHandler(handler)
    yield handler
    root.removeHandler(handler)


both = pytest.mark.parametrize("sink", ["json", "console"], indirect=True)


def chain(text):
    """Return an exception that was raised while another one was handled; both quote the text."""
    try:
        try:
            raise KeyError(text)
        except KeyError as error:
            raise ValueError(text, {"content": text}) from error
    except ValueError as error:
        return error


# --- lines -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", PARTS)
def test_each_part_logs_by_its_name(sink, part):
    structlog.get_logger(part).warning("it happened", count=3)
    logging.getLogger(f"{part}.deep.module").warning("so did this: %s", "that")
    first, second = sink.read()
    assert (first["logger"], first["level"], first["event"], first["count"]) == (part, "warning", "it happened", 3)
    assert (second["logger"], second["event"]) == (part, "so did this: that")
    assert first["timestamp"].endswith("Z")


@pytest.mark.parametrize("sink", ["console"], indirect=True)
def test_people_get_a_line_with_a_traceback_under_it(sink):
    structlog.get_logger("chats").error("a generation failed", exc_info=chain("x"), request_id="r-1")
    first, *rest = sink.text.splitlines()
    assert "a generation failed" in first and "chats" in first and "request_id=r-1" in first
    assert rest[0] == "Traceback (most recent call last):" and rest[-1].startswith("ValueError")
    assert "This led to:" in rest and "KeyError" in rest


def test_json_keeps_a_traceback_in_its_line(sink):
    structlog.get_logger("chats").error("a generation failed", exc_info=chain("x"))
    [line] = sink.read()
    assert line["exception"].endswith("ValueError") and "KeyError" in line["exception"]
    assert "in chain" in line["exception"]


@both
@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_neither_texts_nor_keys_come_through_any_way(sink, secret):
    logger = structlog.get_logger("llms")
    for value in (secret, TEXT):
        logger.error("it failed", exc_info=chain(value))
        logger.error("it failed", exc_info=ExceptionGroup(value, [ValueError(value)]))
        logger.error("it failed", row=type("Row", (), {"__repr__": lambda self, value=value: value})())
        logging.getLogger("asyncio").error(f"Task failed\nfuture: <Task exception=ValueError({value!r})>")
        logging.getLogger("some.library").warning("cannot parse %r", value)
        for library in ("openai._base_client", "httpx", "aiohttp.client", "django.db.backends"):
            logging.getLogger(library).info("sent: %s", value)
    logger.error(f"it failed with {secret}", note=secret, nested={"list": [secret]})
    assert "it failed" in sink.text and "ValueError" in sink.text
    assert TEXT not in sink.text
    assert not [hidden for hidden in HIDDEN if hidden in sink.text]


@both
def test_a_line_cannot_pretend_to_be_two(sink):
    structlog.get_logger("api").warning("asked", request="GET /api/x\n2026-01-01 [error] forged", esc="\x1b[31m")
    assert len(sink.text.splitlines()) == 1
    assert "\x1b[31mx" not in sink.text and "\n2026-01-01" not in sink.text


def test_long_values_are_cut(sink):
    structlog.get_logger("api").warning("asked", value="x" * 100_000, many=list(range(1000)))
    assert len(sink.text) < 5_000


def test_a_lone_surrogate_is_written(sink):
    structlog.get_logger("api").warning("asked \ud800", value="\0")
    assert sink.read()[0]["event"] == "asked \\ud800"


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OperationalError("database is locked"), "django.db.utils.OperationalError: database is locked"),
        (IntegrityError("UNIQUE constraint failed: chats_folder.uid"), "UNIQUE constraint failed: chats_folder.uid"),
        (OperationalError(f'fts5: syntax error near "{TEXT}"'), "django.db.utils.OperationalError"),
        (OSError(28, "No space left on device", "/data/x"), "OSError: [Errno 28] No space left on device: /data/x"),
        (OSError(TEXT), "OSError"),
        (ZeroDivisionError(TEXT), "ZeroDivisionError"),
        (AttributeError(TEXT, name="uid", obj=3), "AttributeError: int has no attribute uid"),
    ],
)
def test_of_an_exception_only_what_the_system_says_is_told(error, text):
    told = format_exception(error)
    assert told.endswith(text) and TEXT not in told


def test_a_long_chain_of_exceptions_is_cut():
    error = None
    for number in range(100):
        following = ValueError(number)
        following.__cause__ = error
        error = following
    assert format_exception(error).count("ValueError") == 5


def test_what_is_no_key_stays():
    for text in ("task-12345678", "GET /api/chats", "https://provider.example/v1", "ask-me-anything-at-all"):
        assert hide_keys(text) == text
    # Ids of models.
    for text in ("xai-grok-4-0709", "pplx-70b-online"):
        assert hide_keys(text) == text


@pytest.mark.parametrize("level", ["DEBUG", "INFO", "ERROR", "LOUD"])
def test_libraries_that_print_what_is_sent_stay_quiet(level):
    configured = build_logging("json", level)
    quiet = logging.getLevelNamesMapping()[configured["loggers"]["openai"]["level"]]
    assert quiet >= logging.WARNING
    assert configured["root"]["level"] == (level if level != "LOUD" else "WARNING")


# --- requests --------------------------------------------------------------------------------------------------------


def fail(*args, **kwargs):
    raise ValueError(f"{TEXT} {KEY_SEEDED}")


@pytest.mark.django_db
def test_the_failure_of_a_view_is_told_by_the_id_of_its_request(sink, monkeypatch):
    client = sign_in()
    client.raise_request_exception = False
    monkeypatch.setattr("bigagi_site.views.ready.look", fail)
    answer = client.get("/api/ready", headers={"X-Request-ID": "the-view"})
    assert answer.status_code == 500
    [line] = [line for line in sink.read() if line["level"] == "error"]
    assert (line["logger"], line["event"], line["request_id"]) == ("api", "request_failed", "the-view")
    assert line["request"] == "GET /api/ready" and "in fail" in line["exception"]
    assert TEXT not in sink.text and "sk-proj" not in sink.text


@pytest.mark.django_db
def test_a_failure_before_any_view_is_told_by_the_id_too(sink, monkeypatch):
    client = sign_in()
    client.raise_request_exception = False
    monkeypatch.setattr("django.middleware.csrf.CsrfViewMiddleware.process_request", fail)
    client.get("/api/ready", headers={"X-Request-ID": "early"})
    [line] = [line for line in sink.read() if line["level"] == "error"]
    assert (line["event"], line["request_id"]) == ("request_failed", "early")


@pytest.mark.django_db
def test_no_id_is_left_for_who_comes_after(sink):
    sign_in().get("/api/ready", headers={"X-Request-ID": "gone"})
    structlog.get_logger("stores").warning("between requests")
    assert "request_id" not in sink.read()[-1]


@pytest.mark.django_db
def test_no_line_is_written_for_what_goes_well(sink):
    sign_in().get("/api/ready")
    assert sink.text == ""


@pytest.mark.django_db
def test_each_request_is_told_where_that_is_asked_for(sink):
    logger = logging.getLogger("django_structlog")
    logger.setLevel(logging.INFO)
    try:
        sign_in().get("/api/ready?searched=secret", headers={"X-Request-ID": "asked"})
    finally:
        logger.setLevel(logging.NOTSET)
    started, finished = sink.read()
    assert (started["event"], finished["event"], finished["code"]) == ("request_started", "request_finished", 400)
    assert started["request_id"] == finished["request_id"] == "asked"
    assert "secret" not in sink.text and "127.0.0.1" not in sink.text


def test_a_stream_that_breaks_is_told_by_the_id_of_its_request(sink, rf):
    def pieces():
        yield b"one"
        fail()

    answer = ApiMiddleware(RequestLogMiddleware(lambda request: StreamingHttpResponse(pieces())))(
        rf.get("/api/chats", headers={"X-Request-ID": "a-stream"})
    )
    assert sink.text == ""
    with pytest.raises(ValueError):
        list(answer.streaming_content)
    [line] = sink.read()
    assert (line["logger"], line["event"], line["request_id"]) == ("api", "streaming_failed", "a-stream")
    assert TEXT not in sink.text


# --- servers ---------------------------------------------------------------------------------------------------------


def block(path):
    """Let no event of the ledger be written."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=20)) as connection:
        connection.execute(
            "CREATE TRIGGER blocked BEFORE INSERT ON metrics_usageevent BEGIN SELECT RAISE(ABORT, 'no room'); END"
        )


def test_a_server_logs_json_with_the_ids_of_requests_through_generations(started):
    variables = {"LOG_FORMAT": "json", "LOG_LEVEL": "INFO"} | LIMITS
    with run_provider(FaultyProvider(key=KEY)) as provider, run_server(started | variables) as server:
        talker = Talker(server)
        talker.add_service(provider.setup(), [*FAULTS, "good-model"])
        asked = {"message": {"text": TEXT}, "stream": False}
        talker.send("GET", "/api/chats?folder=secret-folder", X_Request_ID="a-view")
        talker.send("POST", "/api/files", {"name": "notes.txt", "content": TEXT}, 201, X_Request_ID="a-file")
        chat = talker.make_chat()
        body = asked | {"modelId": "faulty-wrong-key"}
        talker.send("POST", f"/api/chats/{chat}/generate", body, X_Request_ID="a-call")
        if not started.get("DATABASE_URL"):
            block(server.data_dir / "bigagi.sqlite3")
            chat = talker.make_chat()
            body = asked | {"modelId": "faulty-good-model"}
            talker.send("POST", f"/api/chats/{chat}/generate", body, X_Request_ID="a-write")
        assert server.stop() == 0
        text = "".join(server.read_rest())
    # The first lines are for people: the link that signs in, and how long it holds.
    lines = [json.loads(line) for line in text.splitlines() if not line.startswith("The link")]
    for secret in (KEY, TEXT, "secret-folder", "All is well"):
        assert secret not in text
    finished = {line["request_id"]: line for line in lines if line["event"] == "request_finished"}
    assert (finished["a-view"]["logger"], finished["a-view"]["request"]) == ("api", "GET /api/chats")
    [call] = [line for line in lines if line["event"] == "a call of a model failed"]
    assert (call["logger"], call["request_id"], call["kind"]) == ("llms", "a-call", "wrong-key")
    assert (call["status"], call["model"], call["service"]) == (401, "faulty-wrong-key", "faulty")
    changed = {(line["logger"], line["request_id"]) for line in lines if line["event"] == "changed"}
    assert {("chats", "a-call"), ("workspace", "a-file")} <= changed
    if not started.get("DATABASE_URL"):
        broken = [line for line in lines if line.get("request_id") == "a-write" and line["level"] == "error"]
        assert {(line["logger"], line["event"].startswith("an answer could not be")) for line in broken} == {
            ("chats", True)
        }
        # Once, however often it is tried again.
        assert len(broken) <= 2


def test_a_wrong_format_is_refused_with_words(environment):
    done = manage("check", environment=environment | {"LOG_FORMAT": "xml"})
    assert done.returncode == 1
    assert "bigagi.E002" in done.stderr and "console or json" in done.stderr
