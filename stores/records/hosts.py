"""Hosts in any JSON, and the stored keys beside them, which stay with the scheme, host and port they were entered for.
Pure."""

import re
import unicodedata
from typing import Any
from urllib.parse import urlsplit

from stores.records.secrets import is_host_key, references_in, remove_references

_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


def with_scheme(host: str) -> str:
    """Return a host as it was entered, with the scheme that it goes without."""
    host = host.strip()
    if "://" in host:
        return host
    is_near = re.split("[:/?#]", host, maxsplit=1)[0] in ("localhost", "127.0.0.1", "[")
    return f"{'http' if is_near else 'https'}://{host}"


def address_of_host(host: str) -> str:
    """Return scheme, host and port of a host as it was entered, as one text; of what is no address, itself."""
    host = with_scheme(host)
    try:
        parts = urlsplit(host)
        port = parts.port if parts.port is not None else _PORTS.get(parts.scheme)
    except ValueError:
        return host
    return f"{parts.scheme}://{_in_ascii(parts.hostname)}:{port}" if parts.hostname else host


def _in_ascii(hostname: str) -> str:
    """Return an international host's name as it is looked up, so that both ways to write it are one address.

    By label alone: IDNA of 2003, Python's own, takes two hosts for one, as with ß and ss."""
    labels = unicodedata.normalize("NFC", hostname).split(".")
    return ".".join(label if label.isascii() else f"xn--{label.encode('punycode').decode()}" for label in labels)


def guard_beside_hosts(stored: Any, value: Any, sent: Any) -> tuple[Any, list[str]]:
    """Return the JSON that is to replace ours without our keys beside or below a host that now has another address, and
    where they stood. What was `sent` anew, as references, stays."""
    dropped: list[str] = []
    return _guard(stored, value, sent, references_in(sent), "", dropped), dropped


def _guard(stored: Any, value: Any, sent: Any, anew: set[str], place: str, dropped: list[str]) -> Any:
    if isinstance(value, list) and isinstance(stored, list):
        incoming = sent if isinstance(sent, list) else []
        sent_at = dict(enumerate(incoming))
        own = {_id_of(item) or at: item for at, item in enumerate(stored)}
        return [
            _guard(own.get(_id_of(item) or at), item, sent_at.get(at), anew, f"{place}[{at}]", dropped)
            for at, item in enumerate(value)
        ]
    if not isinstance(value, dict) or not isinstance(stored, dict):
        return value
    sent = sent if isinstance(sent, dict) else {}
    stale = references_in(stored) - anew if _moves(stored, value) else set()
    guarded = {}
    for name, item in value.items():
        within = f"{place}.{name}" if place else name
        if references_in(item) & stale:
            dropped.append(within)
            if name not in sent:
                continue
            # As it came, so that the same file brings the same record again.
            item = remove_references(item, stale)
        guarded[name] = _guard(stored.get(name), item, sent.get(name), anew, within, dropped)
    return guarded


def _moves(stored: dict[str, Any], value: dict[str, Any]) -> bool:
    hosts = {name for name in (*stored, *value) if is_host_key(name)}
    return any(_address(stored.get(name)) != _address(value.get(name)) for name in hosts)


def _address(host: Any) -> str:
    return address_of_host(host) if isinstance(host, str) and host else ""


def _id_of(item: Any) -> str:
    return item["id"] if isinstance(item, dict) and isinstance(item.get("id"), str) else ""
