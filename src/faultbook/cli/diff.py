"""`faultbook diff A B`: what changed between two commits or two moments."""

import sys

import click

from faultbook.assembly.house import read_settings
from faultbook.base.clock import system_clock
from faultbook.base.errors import InvalidError
from faultbook.cli.asking import color_option, json_option, opened, write_json, write_text
from faultbook.model.diff import parse_point
from faultbook.operations.diff import ask_diff
from faultbook.view.documents_diff import diff_document
from faultbook.view.terminal import diff_text


@click.command("diff")
@click.argument("before", metavar="A")
@click.argument("after", metavar="[B]", required=False)
@json_option
@color_option
def command(before: str, after: str | None, *, as_json: bool, color: bool | None) -> None:
    """Compare the verdicts of two commits or two moments; without B, until now.

    A and B are commits (7 or more of their digits) or moments: yesterday, Monday, '3 hours ago',
    14:00, 2026-11-18 (UTC). A moment means the standings on the main branch; a commit means the
    runs that carry it, on any branch.

    Exit code: 0 nothing is failing in B; 1 newly or still failing; 2 can't tell.
    """
    settings = read_settings()
    if settings.url is not None:
        raise InvalidError(
            "The comparison is read from the store itself, and FAULTBOOK_URL names a server.",
            code="local_only",
            next_step="Run it where the server runs, without FAULTBOOK_URL; or ask the bot.",
            where="FAULTBOOK_URL",
        )
    now = system_clock()
    first = parse_point(before, now)
    second = None if after is None else parse_point(after, now)
    with opened(settings) as house:
        diff = ask_diff(house.store, first, second, house.policy)
    if as_json:
        write_json(diff_document(diff))
    else:
        write_text(lambda look: diff_text(diff, look), color=color)
    sys.exit(diff.exit_code)
