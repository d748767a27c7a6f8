"""The endpoint and key of a service, read from its setup according to its vendor."""

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

from llms.vendors.table import VENDORS, Vendor, vendor_of
from stores.records.codecs import JSONObject
from stores.records.hosts import address_of_host, with_scheme

_ENDING = "/chat/completions"
_AZURE = (".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com")
"""Names of hosts that take a key as `api-key` alone, whatever vendor the service is of."""
_REGION = re.compile(r"[a-z]{2,}(?:-[a-z]+)+-\d")


class NotCallable(Exception):
    """The service cannot be called; the message says why and what to do. `kind` names the entry in Troubleshooting."""

    def __init__(self, message: str, kind: str = "model-not-callable") -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True, repr=False)
class Endpoint:
    """An address with OpenAI's protocol. `base_url` has the query that each call is sent with. Never print it: it holds
    the key."""

    vendor: Vendor
    base_url: str
    key: str
    headers: Mapping[str, str] = field(default_factory=dict)
    is_environments: bool = False
    """Whether it is the environment's, for which all of OpenAI's variables are meant."""

    @property
    def host(self) -> str:
        """The host as it can be shown, with its port."""
        return urlsplit(self.base_url).netloc.rpartition("@")[2]

    @property
    def key_header(self) -> str:
        """The header that takes the key; empty: `Authorization`, as a bearer's."""
        parts = urlsplit(self.base_url)
        is_azures = (parts.hostname or "").endswith(_AZURE) or "api-version" in parse_qs(parts.query)
        return self.vendor.key_header or ("api-key" if is_azures else "")

    def url(self, path: str) -> str:
        """Return the address of a path, relative to the base or to the host, with both queries."""
        base = urlsplit(self.base_url)
        parts = urlsplit(urljoin(base._replace(path=f"{base.path.rstrip('/')}/", query="").geturl(), path))
        return parts._replace(query="&".join(filter(None, (base.query, parts.query)))).geturl()


def endpoint_of(service: JSONObject) -> Endpoint:
    """Return the endpoint of a service's JSON, secrets revealed. Raises `NotCallable`."""
    vendor = vendor_of(service.get("vId"))
    label = service.get("label") if isinstance(service.get("label"), str) else vendor.label
    if vendor.host is None:
        raise NotCallable(f"{label} cannot be called from here. {vendor.why_not}")
    setup = service.get("setup")
    setup = setup if isinstance(setup, dict) else {}
    key = _text(setup, vendor.key) or ("" if vendor.region_key else _first(setup, ("key", "token")))
    host = _host_of(setup, vendor)
    # The owner's own host may need no key; the vendors' hosts do.
    if vendor.needs_key and not key and not host:
        raise NotCallable(f"{label} has no API key. Add one to the service.")
    # As in big-AGI, several keys with commas between share the load.
    keys = [each.strip() for each in key.split(",") if each.strip()]
    organization = _text(setup, "oaiOrg")
    headers = {"OpenAI-Organization": organization} if organization else {}
    url = base_url(vendor, host, str(label), _text(setup, vendor.region_key))
    return Endpoint(vendor, url, random.choice(keys) if keys else "", headers)


def base_url(vendor: Vendor, host: str, label: str, region: str = "") -> str:
    """Return the base of the URLs under a host of a setup, or the vendor's own. Raises `NotCallable`."""
    own = (vendor.host or "").replace("{region}", region or vendor.default_region)
    if region and not _REGION.fullmatch(region):
        raise NotCallable(f"{label} has no region {region}.")
    if not host:
        if not own:
            raise NotCallable(f"{label} has no host. Add one to the service.")
        return own
    try:
        parts = urlsplit(with_scheme(host))
        # Reading a port that is out of range raises.
        is_usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_usable = False
    if not is_usable:
        raise NotCallable(f"The host of {label} must be an address, such as https://host.example:8443/v1.")
    if "@" in parts.netloc:
        # HTTP has one place for both, and the key is there.
        raise NotCallable(f"The host of {label} must not contain a user name or password. Remove them.")
    # Hosts are written with the whole path, with a part of it, as big-AGI wants them, and without. A path of another
    # kind is the person's own.
    path, whole = parts.path.rstrip("/"), urlsplit(own).path if own else vendor.path
    if (parts.hostname or "").endswith(_AZURE):
        whole = VENDORS["azure"].path
    is_part = whole == path or whole.startswith(f"{path}/")
    if path.endswith(_ENDING):
        # The address of the chat itself, as many vendors' documentation has it.
        return parts._replace(path=path.removesuffix(_ENDING), fragment="").geturl()
    return parts._replace(path=whole if is_part else path, fragment="").geturl()


def path_of(service: JSONObject) -> str:
    """Return scheme, host, port and path that a service's JSON leads to, as one text, without what can be secret; empty
    where it leads nowhere."""
    vendor = vendor_of(service.get("vId"))
    setup = service.get("setup")
    setup = setup if isinstance(setup, dict) else {}
    try:
        url = base_url(vendor, _host_of(setup, vendor), "", _text(setup, vendor.region_key))
    except NotCallable:
        return ""
    # Databases take neither lone surrogates nor NUL.
    return urlsplit(url)._replace(query="").geturl().encode("utf-8", "replace").decode().replace("\0", "?")


def address_of(service: JSONObject) -> str:
    """Return scheme, host and port that a service's JSON leads to, as one text: its keys are for them alone.

    Unlike `endpoint_of`, it takes any setup: of what cannot be called, too, it tells whether it changed."""
    vendor = vendor_of(service.get("vId"))
    setup = service.get("setup")
    setup = setup if isinstance(setup, dict) else {}
    host = _host_of(setup, vendor)
    region = _text(setup, vendor.region_key) or vendor.default_region
    return address_of_host(host or (vendor.host or vendor.id).replace("{region}", region))


def _host_of(setup: JSONObject, vendor: Vendor) -> str:
    return _text(setup, vendor.host_key) or _first(setup, ("host", "endpoint"))


def _text(setup: JSONObject, name: str) -> str:
    value = setup.get(name) if name else None
    return value.strip() if isinstance(value, str) else ""


def _first(setup: dict[str, Any], endings: tuple[str, ...]) -> str:
    return next(
        (value for name, value in setup.items() if isinstance(value, str) and value and name.lower().endswith(endings)),
        "",
    )
