"""Connections that fail, each in its own words; and the certificates and proxies of the environment."""

import contextlib
import ipaddress
import re
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from llms.calls.events import CallFailed, Request, Text
from llms.calls.models import list_models
from llms.calls.synchronous import run_call
from llms.calls.upstream import stream_call
from llms.vendors.endpoint import Endpoint, endpoint_of
from tests.providers import KEY, run_provider

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def no_environment(monkeypatch) -> None:
    for name in (*PROXIES, *map(str.upper, PROXIES), "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> str:
    """A certificate of 127.0.0.1 that nobody signed, with its key."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "bigagi's test")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    signed = builder.add_extension(names, critical=False).sign(key, hashes.SHA256())
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    path.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain) + signed.public_bytes(pem))
    return str(path)


@contextlib.contextmanager
def run_socket(said: bytes | None) -> Iterator[int]:
    """Accept connections, and say this to the first bytes that come; None: nothing. Yields the port."""
    with socket.create_server(("127.0.0.1", 0)) as server, contextlib.ExitStack() as held:

        def run() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection = held.enter_context(server.accept()[0])
                    if said is not None:
                        connection.recv(65536)
                        connection.sendall(said)
                        connection.close()

        threading.Thread(target=run, daemon=True).start()
        yield server.getsockname()[1]


def endpoint_to(url: str) -> Endpoint:
    return endpoint_of({"vId": "openai", "setup": {"oaiKey": KEY, "oaiHost": url}})


async def ask(endpoint: Endpoint) -> str:
    request = Request("good-model", [{"role": "user", "content": "Hello"}])
    return "".join([event.text async for event in stream_call(endpoint, request) if isinstance(event, Text)])


def failure_at(url: str, call: Any = ask) -> tuple[str, str]:
    with pytest.raises(CallFailed) as failed:
        run_call(call(endpoint_to(url)))
    assert KEY not in str(failed.value)
    return failed.value.kind, str(failed.value)


@contextlib.contextmanager
def provider_over_tls(certificate: str) -> Iterator[str]:
    with run_provider(certificate=certificate) as provider:
        yield provider.url


@contextlib.contextmanager
def free_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    yield port


@contextlib.contextmanager
def host_of(kind: str, certificate: str) -> Iterator[str]:
    """Yield the address of a host that cannot be called in this way."""
    with contextlib.ExitStack() as stack:
        match kind:
            case "self-signed":
                yield stack.enter_context(provider_over_tls(certificate))
            case "plain-to-tls":
                yield stack.enter_context(provider_over_tls(certificate)).replace("https", "http")
            case "tls-to-plain":
                yield f"https://127.0.0.1:{stack.enter_context(run_socket(b'HTTP/1.1 400 Bad Request'))}"
            case "no-http":
                yield f"http://127.0.0.1:{stack.enter_context(run_socket(b'SSH-2.0-OpenSSH'))}"
            case "nginx":
                page = b"<title>400 The plain HTTP request was sent to HTTPS port</title>"
                head = b"HTTP/1.1 400 Bad Request\r\nContent-Length: %d\r\n\r\n" % len(page)
                yield f"http://127.0.0.1:{stack.enter_context(run_socket(head + page))}"
            case "silent":
                yield f"http://127.0.0.1:{stack.enter_context(run_socket(None))}"
            case "silent-tls":
                yield f"https://127.0.0.1:{stack.enter_context(run_socket(None))}"
            case "refused":
                yield f"http://127.0.0.1:{stack.enter_context(free_port())}"
            case _:
                yield kind


@pytest.mark.parametrize(
    ("host", "kind", "words"),
    [
        (
            "self-signed",
            "tls",
            r"certificate of 127.0.0.1:\d+ is not trusted \(self-signed certificate\).*SSL_CERT_FILE",
        ),
        ("plain-to-tls", "tls", "expects TLS on this port. Enter the host of the service with https://"),
        ("nginx", "tls", "expects TLS on this port. Enter the host of the service with https://"),
        ("tls-to-plain", "tls", "does not speak TLS on this port.*with http:// in front"),
        ("no-http", "malformed", "does not speak HTTP on this port"),
        (
            "https://no-such-host.invalid",
            "unreachable",
            "Cannot reach no-such-host.invalid: there is no host of this name",
        ),
        ("http://a..b", "unreachable", "a..b is no valid address"),
        ("refused", "unreachable", r"Cannot reach 127.0.0.1:\d+: nothing listens on this port"),
        ("silent", "timeout", "did not respond in time: .* took the request and sent nothing"),
        ("silent-tls", "timeout", "did not accept the connection within 0.3 s"),
    ],
)
def test_each_connection_that_fails_has_its_own_words(host, kind, words, certificate, settings):
    settings.CONNECT_SECONDS, settings.FIRST_BYTE_SECONDS = 0.3, 1
    with host_of(host, certificate) as url:
        found, told = failure_at(url)
    assert found == kind
    assert re.search(words, told), told


def test_the_list_of_models_tells_them_too(certificate):
    with host_of("self-signed", certificate) as url:
        assert "is not trusted" in failure_at(url, list_models)[1]


def test_an_authority_in_ssl_cert_file_is_trusted_for_its_hosts(certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", certificate)
    with provider_over_tls(certificate) as url:
        assert run_call(ask(endpoint_to(url))) == "All is well."
        assert "by the name that its certificate has" in failure_at(url.replace("127.0.0.1", "localhost"))[1]
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere.pem")
    kind, told = failure_at(url)
    assert kind == "tls" and "Correct SSL_CERT_FILE" in told


def test_proxies_of_the_environment_lead_to_other_hosts_but_not_to_this_machine(monkeypatch):
    with run_provider() as here, run_provider() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url.removesuffix("/v1"))
        assert run_call(ask(endpoint_to("http://far.invalid"))) == "All is well."
        assert [asked.path for asked in proxy.asked] == ["http://far.invalid/v1/chat/completions"]
        for name in ("127.0.0.1", "localhost"):
            assert run_call(ask(endpoint_to(here.url.replace("127.0.0.1", name)))) == "All is well."
        assert len(proxy.asked) == 1
        # What a proxy says of a host that it cannot connect to over TLS.
        monkeypatch.setenv("HTTPS_PROXY", proxy.url.removesuffix("/v1"))
        kind, told = failure_at("https://far.invalid")
        assert kind == "proxy" and "did not lead to far.invalid: it answered 501" in told
        monkeypatch.setenv("NO_PROXY", "far.invalid")
        assert "there is no host of this name" in failure_at("https://far.invalid")[1]
    monkeypatch.delenv("NO_PROXY")
    for wrong in ("gopher://far.invalid", "socks5://127.0.0.1:1"):
        monkeypatch.setenv("HTTP_PROXY", wrong)
        kind, told = failure_at("http://far.invalid")
        assert kind == "proxy" and "Correct HTTPS_PROXY, HTTP_PROXY or ALL_PROXY" in told
