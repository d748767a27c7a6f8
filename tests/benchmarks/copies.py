"""A database with many more chats: copies of those that are in it, row by row, by SQL."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

BIG = 2**40
"""Beyond the positions of an import."""

COPIED: Mapping[str, Mapping[str, str]] = {
    "chats_conversation": {"id": "id + {keys}", "uid": "uid || '-{at}'", "position": "position + {places}"},
    "chats_message": {"id": "id + {keys}", "conversation_id": "conversation_id + {keys}"},
    "chats_fragment": {"id": "id + {keys}", "message_id": "message_id + {keys}"},
    "stores_importedrecord": {"id": "id + {keys}", "uid": "uid || '-{at}'"},
}
"""What is another in the copies, by table and column."""


def multiply_chats(path: Path, times: int) -> None:
    """Leave `times` as many chats in the database as there are."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("BEGIN")
        most = {name: database.execute(f"SELECT max(id) FROM {name}").fetchone()[0] for name in COPIED}
        step = max(most.values()) + 1
        for at in range(1, times):
            for name, other in COPIED.items():
                columns = [row[1] for row in database.execute(f"PRAGMA table_info({name})")]
                values = ", ".join(
                    other.get(column, f'"{column}"').format(keys=step * at, at=at, places=BIG * at)
                    for column in columns
                )
                names = ", ".join(f'"{column}"' for column in columns)
                kind = " AND kind = 'conversation'" if name == "stores_importedrecord" else ""
                database.execute(
                    f"INSERT INTO {name} ({names}) SELECT {values} FROM {name} WHERE id <= {most[name]}{kind}"
                )
        database.execute("COMMIT")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
