"""Statements for the few hottest paths: compiled once a dialect, run straight on the driver.

SQLAlchemy spends more on an insert of one row than SQLite does. Values are handed over as the
driver takes them: what a column's type would convert (JSON) is converted by the caller.
"""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Executable
from sqlalchemy.engine import CursorResult
from sqlalchemy.sql.elements import ClauseElement

from faultbook.store.transaction import Transaction


class Prepared:
    """A statement whose values are named by its bound parameters."""

    def __init__(self, build: Callable[[Transaction], Executable]) -> None:
        self._build = build
        self._compiled: dict[str, tuple[str, tuple[str, ...] | None]] = {}

    def run(self, tx: Transaction, values: Mapping[str, Any]) -> CursorResult[Any]:
        """Run it."""
        dialect = tx.connection.dialect
        found = self._compiled.get(dialect.name)
        if found is None:
            found = self._compiled[dialect.name] = self._compile(tx)
        sql, names = found
        told: Any = dict(values) if names is None else tuple([values[name] for name in names])
        return tx.connection.exec_driver_sql(sql, told)

    def _compile(self, tx: Transaction) -> tuple[str, tuple[str, ...] | None]:
        statement = self._build(tx)
        assert isinstance(statement, ClauseElement)  # noqa: S101 - every Core statement is one
        compiled = statement.compile(dialect=tx.connection.dialect)
        positions = getattr(compiled, "positiontup", None)
        return str(compiled), None if positions is None else tuple(positions)
