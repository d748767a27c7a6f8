"""The known shapes of API keys in any text. Pure: settings and logs can use it before there are models."""

import re

KEY_SHAPE = re.compile(
    r"(?:(?<![A-Za-z0-9])|(?<=\\[bfnrt]))(?:sk-(?=[A-Za-z_\-]*\d)[A-Za-z0-9_\-]{20,}|AIza[A-Za-z0-9_\-]{35}|AKIA[A-Z0-9]{16})"
)
"""What is a key, wherever it stands."""

_IN_LOGS = re.compile(
    rf"{KEY_SHAPE.pattern}|(?<![A-Za-z0-9])(?:(?:sk-|AIza)[A-Za-z0-9_\-]{{8,}}"
    # Names begin so, too, as xai-grok-4 and hf_hub_download: they have more dashes.
    r"|(?:gsk_|hf_|ghp_|xai-|pplx-)[A-Za-z0-9]{16,})"
    r"|\bBearer\s+[^\s\"',;]+|(?<=://)[^/?#@\s]+(?=@)"
    r"|(?<=[?&])[^=&\s]*(?:key|token|secret|password)=[^&\s\"']+",
    re.IGNORECASE,
)


def hide_keys(text: str) -> str:
    """Return the text for a log: without what is, or could be, a key, a bearer token, or a password in an address."""
    return _IN_LOGS.sub("[hidden]", text)
