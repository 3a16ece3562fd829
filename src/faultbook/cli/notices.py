"""`faultbook notices`: what could not be delivered: listed, tried again, or dropped."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import click

from faultbook.assembly.house import read_settings
from faultbook.base.clock import SECOND, Instant, iso
from faultbook.base.ids import short_id
from faultbook.base.text import cut, duration, one_line, visible
from faultbook.cli.asking import json_option, opened, write_json
from faultbook.model.notice import DeadNotice
from faultbook.operations import dead_letters
from faultbook.store.transaction import Transaction

_ERROR = 80

_ids = click.argument("ids", nargs=-1, metavar="[ID…]")
_all = click.option("--all", "every", is_flag=True, help="Every notice that was given up.")


@click.group("notices")
def command() -> None:
    """List, retry or drop what could not be delivered to Slack.

    What is owed is tried again by itself; here is what was given up after its attempts, or at
    once where Slack will never take it. An ID may be given by its last 6 characters or more.
    """


@command.command("list")
@json_option
def list_(*, as_json: bool) -> None:
    """List what was given up, the oldest first. Exit 0: none; 1: there are some."""
    with opened(read_settings()) as house:
        found = house.store.read(dead_letters.list_dead_letters)
        count = house.store.read(dead_letters.count_dead_letters)
        now = house.clock()
    if as_json:
        write_json({"notices": [_document(notice) for notice in found], "count": count})
    else:
        for notice in found:
            click.echo(_line(notice, now))
        _say_what_next(len(found), count)
    if count:
        raise click.exceptions.Exit(1)


@command.command("retry")
@_ids
@_all
@json_option
def retry(ids: tuple[str, ...], *, every: bool, as_json: bool) -> None:
    """Owe notices again; the bot sends them within a second, or when it runs."""
    changed = _change(ids, every, dead_letters.retry_dead_letter, dead_letters.retry_all)
    _tell(changed, "owed again", as_json=as_json)


@command.command("drop")
@_ids
@_all
@json_option
def drop(ids: tuple[str, ...], *, every: bool, as_json: bool) -> None:
    """Let notices rest: they are never sent, and counted no more."""
    changed = _change(ids, every, dead_letters.drop_dead_letter, dead_letters.drop_all)
    _tell(changed, "dropped", as_json=as_json)


def _change(
    ids: tuple[str, ...],
    every: bool,  # noqa: FBT001 - handed on from the command line
    one: Callable[[Transaction, str], str],
    all_: Callable[[Transaction], list[str]],
) -> list[str]:
    if bool(ids) == every:
        raise click.UsageError("Name notices by their IDs, or say --all.")

    def operation(tx: Transaction) -> list[str]:
        return all_(tx) if every else [one(tx, told) for told in ids]

    with opened(read_settings()) as house:
        return house.store.write(operation)


def _tell(changed: list[str], words: str, *, as_json: bool) -> None:
    if as_json:
        write_json({"notices": changed})
        return
    for notice_id in changed:
        click.echo(f"{short_id(notice_id)} {words}.", err=True)
    if not changed:
        click.echo("No notice was given up; nothing changed.", err=True)


def _say_what_next(shown: int, count: int) -> None:
    if not count:
        click.echo(
            "No notice was given up: everything owed was delivered or is under way.", err=True
        )
        return
    if count > shown:
        click.echo(f"and {count - shown} more", err=True)
    click.echo("Next: faultbook notices retry ID, or drop ID; --all for every one.", err=True)


def _line(notice: DeadNotice, now: Instant) -> str:
    about = f" {notice.subject}" if notice.subject else ""
    tried = "1 attempt" if notice.attempts == 1 else f"{notice.attempts} attempts"
    ago = duration((now - notice.given_up_at) / SECOND)
    error = cut(one_line(notice.error), _ERROR)
    what = f"{short_id(notice.id)}  {notice.kind}{about}  to {notice.target}"
    return visible(f"{what}  {tried}, {ago} ago  {error}")


def _document(notice: DeadNotice) -> dict[str, Any]:
    times = {"owed_at": iso(notice.owed_at), "given_up_at": iso(notice.given_up_at)}
    return asdict(notice) | times | {"subject": notice.subject or None}
