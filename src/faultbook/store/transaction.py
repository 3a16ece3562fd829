"""What an operation is handed: one open transaction and the instant it takes as now."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Executable
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import CursorResult
from sqlalchemy.sql.selectable import TableClause

from faultbook.base.clock import Instant
from faultbook.model.audit import AuditEntry
from faultbook.model.notice import Notice
from faultbook.store.taker import Taker


@dataclass(frozen=True, slots=True)
class Transaction:
    """An open transaction; it is committed by the store, never by an operation.

    Attributes:
        now: the instant at which the store began it; operations take time from here.
        touched: topics that watchers of the store are told of after the commit.
        taker: who sends receipts at once, if anybody does.
        fresh: receipts that were claimed for the taker as they were owed.
        audited: entries that are chained into the audit log last, just before the commit.
    """

    connection: Connection
    now: Instant
    touched: set[str] = field(default_factory=set)
    taker: Taker | None = None
    fresh: list[Notice] = field(default_factory=list)
    audited: list[AuditEntry] = field(default_factory=list)

    def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:  # noqa: ANN401 - SQLAlchemy's own signature
        """Run one statement."""
        return self.connection.execute(statement, parameters)

    @property
    def is_postgresql(self) -> bool:
        """Tell which of the two stores this is, where their SQL has to differ."""
        return self.connection.dialect.name == "postgresql"

    def insert(self, table: TableClause) -> "postgresql.Insert | sqlite.Insert":
        """Start an INSERT that can say what to do on conflict, in this store's dialect."""
        return postgresql.insert(table) if self.is_postgresql else sqlite.insert(table)

    def insert_new(self, table: TableClause, values: dict[str, Any]) -> bool:
        """Insert a row unless its key is there already, and tell whether it was new."""
        statement = self.insert(table).on_conflict_do_nothing()
        counted = statement.execution_options(preserve_rowcount=True)
        return self.execute(counted, values).rowcount == 1
