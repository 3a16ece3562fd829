"""What the asking commands share: where the answer comes from, and how it is written."""

import getpass
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from faultbook.assembly.terminal import holds_signs, read_look
from faultbook.base.redaction import redact
from faultbook.base.settings import Settings
from faultbook.base.text import cut, one_line, visible
from faultbook.view.terminal import Look

if TYPE_CHECKING:
    from faultbook.assembly.house import House

json_option = click.option("--json", "as_json", is_flag=True, help="Write the answer as JSON.")
color_option = click.option(
    "--color/--no-color",
    default=None,
    help="Colour signs and words. Default: on a terminal, without NO_COLOR.",
)


def read_from_server(
    settings: Settings, path: str, parameters: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Read a document from the server that FAULTBOOK_URL names.

    Raises:
        FaultbookError: the server can't be had, or refuses.
    """
    from faultbook.client.http import HttpClient  # noqa: PLC0415 - only a remote answer pays for it

    token = settings.token.get_secret_value() if settings.token else None
    return HttpClient(settings.url or "", token).read_document(path, parameters)


@contextmanager
def opened(settings: Settings) -> "Iterator[House]":
    """Open the local store for the length of an answer."""
    from faultbook.assembly.house import open_house  # noqa: PLC0415 - many commands need no store

    house = open_house(settings)
    try:
        yield house
    finally:
        house.close()


def person_here() -> str:
    """Name for the audit log who gives this command: by name, and by the id that can't be set."""
    number = f"uid {os.getuid()}" if hasattr(os, "getuid") else "no uid"
    try:
        # The name may come from a variable, which holds whatever somebody put there.
        name = cut(one_line(redact(getpass.getuser())), 80)
    except (OSError, KeyError, ImportError):  # no variable and no entry in the password database
        return f"{number} on the command line"
    return f"{name} ({number}) on the command line"


def write_json(document: Mapping[str, Any]) -> None:
    """Write a document to stdout."""
    # Letters as they are where the output holds them; escaped JSON is JSON everywhere.
    shown = json.dumps(document, indent=2, ensure_ascii=not holds_signs(sys.stdout))
    # JSON itself leaves some control and bidi characters as they are; `\u202e` says the same.
    click.echo(visible(shown))


def write_text(text: Callable[[Look], str], *, color: bool | None) -> None:
    """Write an answer to stdout as text, for whoever reads there."""
    # The text holds colours only where the output shows them; click must not take them out.
    click.echo(text(read_look(sys.stdout, color=color)), nl=False, color=True)
