"""A ledger's beginning: the file as it is before and after its first lessons."""

from collections.abc import Iterable

from faultbook.ledger.import_rows import NewRow
from faultbook.ledger.rows import HEADER
from faultbook.ledger.table import append_row, read_ledger

_PROSE = """\
# What failed, and what we do since

One row for each failure that taught us something. Numbers are permanent; write `new` where you add
a row by hand. A number that is a link leads to the incident's file. `faultbook ledger check` tells
whether all is well.

"""
_AREA = " Area |"


def new_ledger() -> bytes:
    """Write a ledger without lessons, with a column for the area."""
    return f"{_PROSE}{HEADER}{_AREA}\n|---|---|---|---|---|\n".encode()


def with_rows(data: bytes, rows: Iterable[NewRow]) -> tuple[bytes, list[int]]:
    """Add lessons to a ledger; gives the new bytes and the lessons' numbers.

    Raises:
        InvalidError: the file is no ledger that can be edited.
    """
    numbers: list[int] = []
    has_area = read_ledger(data).columns > HEADER.count("|") - 1
    for row in rows:
        area = row.area or None if has_area else None
        edited = append_row(data, row.what_failed, row.fix, row.rule, area=area)
        data = edited.data
        numbers.append(edited.number)
    return data, numbers
