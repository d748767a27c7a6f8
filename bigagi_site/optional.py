"""Import libraries without those that they would use if they were installed, and that are never used here.

`python -X importtime manage.py check` shows what each costs: psycopg, rich and requests together were a third of the
start of every command.
"""

import importlib
import sys


def import_without(module: str, *libraries: str) -> None:
    """Import `module` as if `libraries` were not installed. Elsewhere they can be imported as ever."""
    hidden = {name: sys.modules.get(name) for name in libraries}
    # What is imported already costs nothing more.
    missing = [name for name, found in hidden.items() if found is None]
    sys.modules.update(dict.fromkeys(missing))  # type: ignore[arg-type]  # None: the import system says ImportError.
    try:
        importlib.import_module(module)
    finally:
        for name in missing:
            del sys.modules[name]
