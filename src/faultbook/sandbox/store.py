"""The home's database: one table of JSON documents, in memory read, on disk written through.

The workspace lives in memory; each change is written in the same breath. Being killed loses
nothing that was answered, because a transaction is committed before its answer leaves.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from faultbook.sandbox.kinds import Json


class Store:
    """Documents by kind and key."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS doc (kind TEXT, key TEXT, body TEXT NOT NULL,"
            " PRIMARY KEY (kind, key)) WITHOUT ROWID"
        )
        self._depth = 0

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Groups writes into one commit; never hold it over an `await`."""
        if self._depth == 0:
            self._db.execute("BEGIN")
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            if self._depth == 0:
                self._db.execute("COMMIT")

    def put(self, kind: str, key: str, body: Json) -> None:
        """Writes one document."""
        self._db.execute(
            "INSERT INTO doc (kind, key, body) VALUES (?, ?, ?)"
            " ON CONFLICT (kind, key) DO UPDATE SET body = excluded.body",
            (kind, key, json.dumps(body, ensure_ascii=False, separators=(",", ":"))),
        )

    def drop(self, kind: str, key: str) -> None:
        """Removes one document, if it is there."""
        self._db.execute("DELETE FROM doc WHERE kind = ? AND key = ?", (kind, key))

    def all(self, kind: str) -> Iterator[tuple[str, Json]]:
        """Reads every document of a kind, in the order of their keys."""
        rows = self._db.execute("SELECT key, body FROM doc WHERE kind = ? ORDER BY key", (kind,))
        for key, body in rows.fetchall():
            yield key, json.loads(body)

    def close(self) -> None:
        """Closes the file."""
        self._db.close()
