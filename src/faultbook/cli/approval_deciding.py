"""`faultbook approval approve|deny|…`: what a person does with their own token."""

import sys
from typing import Any

import click

from faultbook.assembly.house import read_settings
from faultbook.base.clock import system_clock
from faultbook.base.errors import (
    ConflictError,
    FaultbookError,
    ForbiddenError,
    InvalidError,
    UnauthenticatedError,
)
from faultbook.cli.approval_desk import ApprovalDesk, open_desk
from faultbook.cli.asking import json_option, write_json, write_text
from faultbook.cli.main import explain
from faultbook.cli.wanted import on_terminal
from faultbook.view.approval_text import approval_text, stands_text

_EXIT_NO = 1
_LEAST_DIGITS = 12

_digest_option = click.option(
    "--digest",
    metavar="DIGITS",
    help="The digits that the card shows: 12 or more. On a terminal it is shown and asked.",
)


@click.command("approve")
@click.argument("approval", metavar="ID")
@_digest_option
@click.option("--reason", default="", help="Why.")
@json_option
def approve(approval: str, digest: str | None, reason: str, *, as_json: bool) -> int:
    """Approve exactly what you saw. Exit code: 0 it counts, 1 it does not."""
    return _decide("approve", approval, digest, reason, as_json=as_json)


@click.command("deny")
@click.argument("approval", metavar="ID")
@click.option("--reason", default="", help="Why; the agent and whoever gave its task read it.")
@json_option
def deny(approval: str, reason: str, *, as_json: bool) -> int:
    """Deny it, whatever it holds. Exit code: 0 it counts, 1 it does not."""
    return _decide("deny", approval, None, reason, as_json=as_json)


@click.command("break-glass")
@click.argument("approval", metavar="ID")
@_digest_option
@click.option("--reason", required=True, help="Why nobody could be waited for.")
@json_option
def break_glass(approval: str, digest: str | None, reason: str, *, as_json: bool) -> int:
    """Approve without voters, loudly; somebody else reviews it within 24 hours.

    Only those may whom the policy names for it. Exit code: 0 it is approved, 1 it is not.
    """
    return _decide("break-glass", approval, digest, reason, as_json=as_json)


@click.command("review")
@click.argument("approval", metavar="ID")
@click.option("--note", required=True, help="What you found.")
@json_option
def review(approval: str, note: str, *, as_json: bool) -> int:
    """Record that you looked at a broken glass. Exit code: 0 recorded, 1 not."""
    return _tell("review", approval, {"note": note}, as_json=as_json)


@click.command("outcome")
@click.argument("approval", metavar="ID")
@click.option("--happened/--did-not-happen", "happened", default=None, help="What you found.")
@click.option("--words", required=True, help="The same in words: where you looked.")
@json_option
def outcome(approval: str, happened: bool | None, words: str, *, as_json: bool) -> int:  # noqa: FBT001 - the option has no third way
    """Record what became of an execution that nobody knew of. Exit code: 0 recorded, 1 not."""
    if happened is None:
        raise click.UsageError("Give --happened or --did-not-happen.")
    return _tell("outcome", approval, {"happened": happened, "words": words}, as_json=as_json)


@click.command("cancel")
@click.argument("approval", metavar="ID")
@json_option
def cancel(approval: str, *, as_json: bool) -> int:
    """Take a request back that nobody has decided. Exit code: 0 taken back, 1 not."""
    return _tell("cancel", approval, {}, as_json=as_json)


def _decide(verb: str, approval: str, digest: str | None, reason: str, *, as_json: bool) -> int:
    with open_desk(read_settings()) as desk:
        seen = digest.strip().lower() if digest else _seen(desk, verb, approval.strip())
        if seen is None:
            click.echo("Nothing was decided.", err=True)
            return _EXIT_NO
        if len(seen) < _LEAST_DIGITS:
            raise _no_digest(f"`{seen[:20]}` is too short to tell one action from another.")
        told = {"digest": seen, "reason": reason}
        return _told(desk, verb, approval, told, as_json=as_json)


def _tell(verb: str, approval: str, told: dict[str, Any], *, as_json: bool) -> int:
    with open_desk(read_settings()) as desk:
        return _told(desk, verb, approval, told, as_json=as_json)


def _told(
    desk: ApprovalDesk, verb: str, approval: str, told: dict[str, Any], *, as_json: bool
) -> int:
    try:
        found = desk.tell(approval.strip(), verb, told)
    except UnauthenticatedError:
        raise
    except (ConflictError, ForbiddenError, InvalidError) as error:
        return _no(error, approval.strip())
    if as_json:
        write_json(found)
    else:
        text = stands_text(found, system_clock())
        write_text(lambda _: text, color=None)
    return 0


def _no(error: FaultbookError, approval: str) -> int:
    error.next_step = error.next_step or _next_here(error, approval)
    explain(error)
    return _EXIT_NO


def _next_here(error: FaultbookError, approval: str) -> str:
    """Say what to type next, of what other doors say in their own way."""
    if error.code == "reason_required":
        return f'Say it: --{error.where or "reason"} "…".'
    if error.code == "already_voted":
        return f"See whose votes are missing: faultbook approval show {approval}."
    return ""


def _seen(desk: ApprovalDesk, verb: str, approval: str) -> str | None:
    """Show what is decided about, and give its digest; None where the person steps back.

    Raises:
        InvalidError: nobody can be shown anything, and no digits say what was seen.
    """
    if verb == "deny":
        return str(desk.read(approval)["digest"])  # whatever it holds, it will not run
    if not on_terminal() or not sys.stdout.isatty():
        raise _no_digest("Nothing says what you saw.")
    found = desk.read(approval)
    now = system_clock()
    write_text(lambda look: approval_text(found, now, look), color=None)
    if found["state"] != "pending":
        return str(found["digest"])  # nothing is asked any more; it is refused, and audited
    question = "Approve exactly this" if verb == "approve" else "Run exactly this, without voters"
    return str(found["digest"]) if click.confirm(question, err=True) else None


def _no_digest(words: str) -> InvalidError:
    return InvalidError(
        words,
        code="digest_required",
        next_step="Give --digest with the 12 digits of the card, or run it on a terminal.",
        where="--digest",
    )
