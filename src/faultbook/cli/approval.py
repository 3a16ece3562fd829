"""`faultbook approval`: ask people, see what they said, and decide."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from faultbook.assembly.house import read_settings
from faultbook.base.clock import system_clock
from faultbook.base.errors import InvalidError
from faultbook.cli.approval_deciding import approve, break_glass, cancel, deny, outcome, review
from faultbook.cli.approval_desk import Wanted, is_open, open_desk
from faultbook.cli.asking import color_option, json_option, write_json, write_text
from faultbook.view.approval_text import approval_text, approvals_text, stands_text

_STATES = (
    "pending",
    "approved",
    "denied",
    "expired",
    "cancelled",
    "superseded",
    "executing",
    "executed",
    "execution_failed",
    "execution_unknown",
    "all",
)
_YES, _NO, _CANT_TELL = 0, 1, 2


@click.group("approval")
def command() -> None:
    """Ask people, see what they said, and decide.

    With FAULTBOOK_URL set the server is asked, otherwise the local store. Deciding takes a person's
    own token in FAULTBOOK_TOKEN, made with: faultbook token create --person MEMBER-ID --scope
    approvals:decide.
    """


for _other in (approve, deny, cancel, break_glass, review, outcome):
    command.add_command(_other)


@command.command("request")
@click.argument("kind")
@click.argument("target")
@click.option(
    "--parameter", "-p", "pairs", multiple=True, metavar="NAME=TEXT", help="One of its parameters."
)
@click.option(
    "--parameters", metavar="FILE", help="All of them, as a JSON object; `-` reads stdin."
)
@click.option("--why", required=True, help="Why it is wanted, for whoever decides.")
@click.option("--effect", default="", help="What will happen.")
@click.option("--environment", help="Default: the team's default environment.")
@click.option("--evidence", multiple=True, metavar="URL", help="What to look at.")
@click.option("--task", metavar="ID", help="The task it belongs to.")
@click.option("--run", "run_id", metavar="ID", help="The run it belongs to.")
@click.option("--ttl", type=click.FloatRange(1), metavar="SECONDS", help="How long it may wait.")
@click.option("--supersedes", metavar="ID", help="The request that it replaces.")
@click.option("--webhook", metavar="URL", help="Told of the outcome, signed.")
@json_option
def request(
    kind: str,
    target: str,
    pairs: tuple[str, ...],
    parameters: str | None,
    evidence: tuple[str, ...],
    ttl: float | None,
    *,
    as_json: bool,
    **fields: Any,  # noqa: ANN401 - the options that are fields as they are
) -> int:
    """Ask whether KIND may be done to TARGET.

    Exit code: 0 it waits or is approved, 1 it is denied already.
    """
    document = {
        "kind": kind,
        "target": target,
        "parameters": _parameters(pairs, parameters),
        "evidence": [{"name": _named(url), "url": url} for url in evidence],
        "ttl_seconds": ttl,
        **fields,
    }
    with open_desk(read_settings()) as desk:
        asked = desk.ask({name: value for name, value in document.items() if value is not None})
    if as_json:
        write_json(asked)
    else:
        click.echo(stands_text(asked, system_clock()), nl=False)
    return _YES if asked["decision"] in {None, "approved"} else _NO


@command.command("list")
@click.option(
    "--state", type=click.Choice(_STATES), default="pending", show_default=True, help="Which."
)
@click.option("--agent", help="Only what this agent asked for.")
@click.option("-n", "--limit", type=click.IntRange(1, 500), default=50, show_default=True)
@json_option
@color_option
def list_(state: str, agent: str | None, limit: int, *, as_json: bool, color: bool | None) -> None:
    """List approvals: those that wait by their end, others the newest first."""
    with open_desk(read_settings()) as desk:
        found = desk.list_some(Wanted(state, agent, limit))
    if as_json:
        write_json({"approvals": found})
    elif found:
        now = system_clock()
        write_text(lambda look: approvals_text(found, now, look), color=color)
    else:
        which = "" if state == "all" else f" is {state.replace('_', ' ')}"
        click.echo(f"No approval{which}.", err=True)


@command.command("show")
@click.argument("approval", metavar="ID")
@json_option
@color_option
def show(approval: str, *, as_json: bool, color: bool | None) -> None:
    """Show an approval with every parameter, its votes and its outcome. ID reads like A-7."""
    with open_desk(read_settings()) as desk:
        found = desk.read(approval.strip())
    _write(found, as_json=as_json, color=color)


@command.command("wait")
@click.argument("approval", metavar="ID")
@click.option(
    "--timeout", type=click.FloatRange(0), metavar="SECONDS", help="Default: as long as it takes."
)
@json_option
@color_option
def wait(approval: str, timeout: float | None, *, as_json: bool, color: bool | None) -> int:
    """Wait until an approval is decided; one that Faultbook executes, until that has ended.

    Exit code: 0 approved or executed; 1 denied, expired, superseded, cancelled, or tried and
    failed; 2 can't tell: it still waits when the time is over, or nobody knows whether it happened.
    """
    with open_desk(read_settings()) as desk:
        found = desk.wait(approval.strip(), timeout)
    if as_json:
        write_json(found)
    else:
        text = stands_text(found, system_clock())
        write_text(lambda _: text, color=color)
    return _exit_code(found)


def _exit_code(found: dict[str, Any]) -> int:
    if is_open(found) or found["state"] in {"executing", "execution_unknown"}:
        return _CANT_TELL
    return _YES if found["state"] in {"approved", "executed"} else _NO


def _write(found: dict[str, Any], *, as_json: bool, color: bool | None) -> None:
    if as_json:
        write_json(found)
        return
    now = system_clock()
    write_text(lambda look: approval_text(found, now, look), color=color)


def _parameters(pairs: tuple[str, ...], file: str | None) -> dict[str, Any]:
    """Put the parameters together; a pair's value is text as it stands.

    Raises:
        InvalidError: a pair has no name, a name is said twice, or the file holds no object.
    """
    told = {} if file is None else _from_file(file)
    for pair in pairs:
        name, separator, value = pair.partition("=")
        if not separator or not name:
            raise _bad(f"`{pair[:60]}` is no NAME=TEXT.", "--parameter")
        if name in told:
            raise _bad(f"`{name[:60]}` is said twice.", "--parameter")
        told[name] = value
    return told


def _from_file(file: str) -> dict[str, Any]:
    name = "Standard input" if file == "-" else file
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text("utf-8")
        told = json.loads(text, object_pairs_hook=_once)
    except FileNotFoundError as error:
        raise _bad(f"{name} is not there.", "--parameters") from error
    except OSError as error:
        raise _bad(f"{name} can't be read: {error.strerror}.", "--parameters") from error
    except (ValueError, RecursionError) as error:
        raise _bad(f"{name} can't be read as JSON: {error}.", "--parameters") from error
    if not isinstance(told, dict):
        raise _bad(f"{name} holds no JSON object.", "--parameters")
    return told


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    told = dict(pairs)
    if len(told) < len(pairs):
        raise ValueError("an object says a name twice")
    return told


def _bad(words: str, option: str) -> InvalidError:
    return InvalidError(
        words,
        code="bad_parameters",
        next_step="Give --parameter amount=120.00, or a file with one JSON object.",
        where=option,
    )


def _named(url: str) -> str:
    """Name a link by its last part, as a person would."""
    path = url.split("?", 1)[0].rstrip("/")
    return path.rsplit("/", 1)[-1][:200] or url[:200]
