"""The proof of an edit of the ledger's table: its result, read again, differs as intended only."""

from collections.abc import Mapping

from faultbook.ledger.pause import collector_paused
from faultbook.ledger.rows import LedgerFile, Row, parse_blocks, parser_cells, read_rows
from faultbook.ledger.source import Source, unproven


def prove_rows(
    before: LedgerFile, edited: bytes, changed: Mapping[int, Mapping[int, str]], added: int = 0
) -> None:
    """Read the result again, and refuse it unless exactly the intended cells differ.

    Args:
        before: the ledger that was edited.
        edited: the new bytes.
        changed: by row and column what the cell must say now.
        added: how many rows must have come in at the end.

    Raises:
        FaultbookError: `edit_unproven`; nothing of the edit may be written.
    """
    source = Source.decode(edited)
    with collector_paused(len(source.text)):
        tokens = parse_blocks(source.text)
        after = read_rows(source, tokens)
    where = f"line {before.header}"
    if after.problems or after.header != before.header:
        raise unproven("the table", where)
    if len(after.rows) != len(before.rows) + added:
        raise unproven("the table", where)
    for index, row in enumerate(after.rows):
        wanted = changed.get(index)
        old = before.rows[index] if index < len(before.rows) else None
        if wanted is None and old is not None and row.line.text == old.line.text:
            continue
        if wanted is None or not _row_as_wanted(row, old, wanted):
            raise unproven("this row", f"line {row.line.number}")
        shown = row.cells[: before.columns]  # what is beyond the header, the parser leaves out
        read = parser_cells(tokens, row.line.number)[: len(shown)]
        if [cell.source.replace(r"\|", "|") for cell in shown] != read:
            raise unproven("this row", f"line {row.line.number}")


def _row_as_wanted(row: Row, old: Row | None, wanted: Mapping[int, str]) -> bool:
    for index, cell in enumerate(row.cells):
        if index in wanted:
            expected = wanted[index]
            if expected not in (cell.text, cell.source):
                return False
        elif old is not None and index < len(old.cells):
            if cell.source != old.cells[index].source:
                return False
        elif cell.source:
            return False
    return len(row.cells) > max(wanted, default=0)
