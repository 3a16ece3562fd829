"""`faultbook audit`: read the audit log, verify it, take it elsewhere."""

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

import click

from faultbook.assembly.house import House, read_settings
from faultbook.assembly.ledger import audit_anchors
from faultbook.assembly.terminal import read_look
from faultbook.base.errors import UnavailableError
from faultbook.base.text import visible
from faultbook.cli.asking import color_option, json_option, opened, write_json, write_text
from faultbook.model.audit import Anchor, AuditRecord, parse_head
from faultbook.operations import auditing
from faultbook.view.audit_text import (
    broken_text,
    export_line,
    intact_text,
    record_document,
    records_document,
    records_text,
)

_BROKEN, _CANT_TELL = 1, 2
_PAGE = 1000
_FOLLOW_SECONDS = 1.0


@click.group("audit")
def command() -> None:
    """Read the audit log, verify it, take it elsewhere.

    Every request, vote, refusal and bypass, every token made or revoked and every change of a
    policy is an entry, bound to the one before it: a rewrite is noticed.
    """


@command.command("verify", short_help="Follow the chain from its first entry to its head.")
@click.option("--head", "heads", multiple=True, metavar="SIZE:HASH", help="A head kept elsewhere.")
@json_option
@color_option
def verify(heads: tuple[str, ...], *, as_json: bool, color: bool | None) -> int:
    """Follow the chain from its first entry; the first bad one is named.

    That entries were cut off its end shows only against a head that was kept elsewhere: one given
    by --head, as it stands in the channel of [audit], else those that the ledger's clone holds as
    tags (faultbook-audit/DAY).

    Exit code: 0 intact, 1 broken, 2 can't tell: intact as far as it goes, and no head at hand.
    """
    settings = read_settings()
    anchors = [Anchor(parse_head(head), "the head you gave") for head in heads]
    anchors = anchors or audit_anchors(settings)
    with opened(settings) as house, _progress(house, "Verifying", shown=not as_json) as step:
        found = house.store.read(auditing.verify_audit, anchors, step)
    if as_json:
        write_json(_document(found))
    elif found.broken_at is not None:
        at = found.broken_at
        write_text(lambda look: broken_text(found.head, at, found.why, look), color=color)
    else:
        write_text(lambda look: intact_text(found.head, found.anchors, look), color=color)
    if found.broken_at is not None:
        return _BROKEN
    return 0 if found.is_anchored else _CANT_TELL


def _document(found: auditing.Verification) -> dict[str, object]:
    state = "intact" if found.is_anchored else "intact_so_far"
    return {
        "state": state if found.broken_at is None else "broken",
        "head": str(found.head),
        "broken_at": found.broken_at,
        "why": found.why or None,
        "anchors": [
            {"head": str(anchor.head), "source": anchor.source} for anchor in found.anchors
        ],
        "anchored_to": found.reach if found.is_anchored else None,
    }


@command.command("head")
def head() -> None:
    """Print how long the log is and what it ends with, SIZE:HASH; keep it elsewhere."""
    with opened(read_settings()) as house:
        click.echo(str(house.store.read(auditing.read_head)))


@command.command("tail")
@click.option(
    "-n", "--limit", "number", type=click.IntRange(1, 10_000), default=20, show_default=True
)
@click.option("--subject", metavar="ID", help="Only entries about it: A-7, a token's id.")
@click.option("--follow", is_flag=True, help="Go on with what is appended; Ctrl-C ends it.")
@json_option
@color_option
def tail(
    number: int, subject: str | None, *, follow: bool, as_json: bool, color: bool | None
) -> None:
    """Print the newest entries, the newest last. With --follow --json, a line of JSON each."""
    with opened(read_settings()) as house:
        records = house.store.read(auditing.list_newest, number, subject)
        if as_json and not follow:
            write_json(records_document(records))
            return
        show = _write_lines if as_json else lambda found: _write_text(found, color, headed=False)
        if records and not as_json:
            _write_text(records, color, headed=True)
        elif records:
            show(records)
        elif not follow:
            click.echo("No entry yet." if subject is None else "No entry about it.", err=True)
        if follow:
            _follow(house, records[-1].sequence if records else None, subject, show)


def _write_text(records: list[AuditRecord], color: bool | None, *, headed: bool) -> None:  # noqa: FBT001 - as click hands it over
    write_text(lambda look: records_text(records, look, headed=headed), color=color)


def _write_lines(records: list[AuditRecord]) -> None:
    import json  # noqa: PLC0415 - one of two ways to show them

    for record in records:
        click.echo(visible(json.dumps(record_document(record))))


def _follow(
    house: House,
    after: int | None,
    subject: str | None,
    show: Callable[[list[AuditRecord]], None],
) -> None:
    sys.stdout.flush()
    while True:
        records = house.store.read(auditing.list_after, after, _PAGE, subject)
        if records:
            show(records)
            sys.stdout.flush()
            after = records[-1].sequence
        if len(records) < _PAGE:
            time.sleep(_FOLLOW_SECONDS)  # other processes write too, and tell nobody here


@command.command("export", short_help="Write the log as JSON lines that can be verified elsewhere.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Default: stdout.")
def export(out: Path | None) -> None:
    """Write the log as JSON lines: sequence, record, previous, hash.

    Each line can be verified without Faultbook. `previous` is the `hash` of the line before; in the
    first it is 64 zeros. `hash` is the SHA-256 of these bytes, one after the other:
    faultbook-audit-1, a zero byte, the 32 bytes of `previous`, and `record` in UTF-8.

    `record` is the entry itself: JSON in the canonical form of RFC 8785.
    """
    shown = out is not None or not sys.stdout.isatty()
    with (
        opened(read_settings()) as house,
        _sink(out) as sink,
        _progress(house, "Exporting", shown=shown) as step,
    ):
        written = _export(house, sink, step)
    if out is not None:
        entries = "1 entry" if written == 1 else f"{written} entries"
        click.echo(f"{entries} written to {visible(str(out))}.", err=True)


def _export(house: House, sink: TextIO, step: Callable[[int], None]) -> int:
    end = house.store.read(auditing.read_head).size
    after, written = None, 0
    while True:
        records = house.store.read(auditing.list_after, after, _PAGE)
        told = [record for record in records if record.sequence <= end]
        sink.writelines(f"{export_line(record)}\n" for record in told)
        written += len(told)
        step(len(told))
        if len(told) < _PAGE:
            return written
        after = told[-1].sequence


@contextlib.contextmanager
def _sink(out: Path | None) -> Iterator[TextIO]:
    """Open what is written to; a file is there whole, or as it was before."""
    if out is None:
        yield sys.stdout
        return
    made = out.with_name(f"{out.name}.{os.getpid()}.new")
    try:
        with made.open("w", encoding="utf-8") as sink:
            yield sink
            sink.flush()
            os.fsync(sink.fileno())
        made.replace(out)
    except OSError as error:
        raise UnavailableError(
            f"{out} can't be written: {error.strerror}.",
            code="file_not_written",
            next_step="Name another with --out.",
            where="--out",
        ) from error
    finally:
        made.unlink(missing_ok=True)


@contextlib.contextmanager
def _progress(house: House, label: str, *, shown: bool) -> Iterator[Callable[[int], None]]:
    """Show a bar on a terminal, for as long as the log is."""
    if not shown or not sys.stderr.isatty():
        yield lambda _: None
        return
    size = house.store.read(auditing.read_head).size
    ascii_only = not read_look(sys.stderr).unicode
    fill = "#" if ascii_only else "█"
    with click.progressbar(length=size, label=label, file=sys.stderr, fill_char=fill) as bar:
        yield bar.update
