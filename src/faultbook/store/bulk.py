"""Rows of one shape, handed to the driver as tuples.

SQLAlchemy prepares each value of each row by itself, which costs more than the insert. Here a
statement and its conversions are made once from the same table; a test holds both ways equal.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any

from sqlalchemy import JSON, Dialect, Float, Table

from faultbook.store.transaction import Transaction

_Converter = Callable[[Any], Any]


def insert_rows(tx: Transaction, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows; each has the columns of the first."""
    if rows:
        names = tuple(rows[0])
        sql = _insert_sql(table, names, tx.connection.dialect)
        _execute(tx, table, sql, names, rows)


def update_rows(tx: Transaction, table: Table, key: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Update rows by a key column; each has the columns of the first."""
    if rows:
        names = (*(name for name in rows[0] if name != key), key)
        sql = _update_sql(table, names, tx.connection.dialect)
        _execute(tx, table, sql, names, rows)


def _execute(
    tx: Transaction,
    table: Table,
    sql: str,
    names: tuple[str, ...],
    rows: Sequence[Mapping[str, Any]],
) -> None:
    pick = itemgetter(*names)
    converters = _converters(table, names, tx.connection.dialect)
    values: list[tuple[Any, ...]] = []
    for row in rows:
        given = list(pick(row))
        for index, convert in converters:
            if given[index] is not None:
                given[index] = convert(given[index])
        values.append(tuple(given))
    tx.connection.exec_driver_sql(sql, values if len(values) > 1 else values[0])


@lru_cache(maxsize=64)
def _insert_sql(table: Table, names: tuple[str, ...], dialect: Dialect) -> str:
    quote = dialect.identifier_preparer.quote
    columns = ", ".join(quote(name) for name in names)
    marks = ", ".join([placeholder(dialect)] * len(names))
    return f"INSERT INTO {quote(table.name)} ({columns}) VALUES ({marks})"  # noqa: S608 - names are the schema's own


@lru_cache(maxsize=64)
def _update_sql(table: Table, names: tuple[str, ...], dialect: Dialect) -> str:
    quote, mark = dialect.identifier_preparer.quote, placeholder(dialect)
    changes = ", ".join(f"{quote(name)} = {mark}" for name in names[:-1])
    return f"UPDATE {quote(table.name)} SET {changes} WHERE {quote(names[-1])} = {mark}"  # noqa: S608 - names are the schema's own


@lru_cache(maxsize=64)
def _converters(
    table: Table, names: tuple[str, ...], dialect: Dialect
) -> tuple[tuple[int, _Converter], ...]:
    """Give the columns that the driver does not take as they are, with their conversions."""
    found: list[tuple[int, _Converter]] = []
    for index, name in enumerate(names):
        column_type = table.c[name].type
        convert = column_type.dialect_impl(dialect).bind_processor(dialect)
        if convert is not None and not isinstance(column_type, Float):  # a float is one already
            found.append(
                (index, _quick_json(convert) if isinstance(column_type, JSON) else convert)
            )
    return tuple(found)


def _quick_json(convert: _Converter) -> _Converter:
    """Spare the JSON encoder the empty list, which is what most columns hold."""
    empty = convert([])
    return lambda value: convert(value) if value else empty


def placeholder(dialect: Dialect) -> str:
    """Tell how the driver marks a parameter."""
    return "?" if dialect.paramstyle == "qmark" else "%s"
