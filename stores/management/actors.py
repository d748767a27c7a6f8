"""Who runs a command, as the journal names them."""

import getpass


def user_name() -> str:
    """Return the name of this process's user; empty where it has none, as in some containers."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""
