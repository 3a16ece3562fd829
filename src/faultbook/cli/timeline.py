"""`faultbook timeline RUN`: what happened within a run, in order."""

from typing import Any
from urllib.parse import quote

import click

from faultbook.assembly.house import read_settings
from faultbook.base.settings import Settings
from faultbook.cli.asking import (
    color_option,
    json_option,
    opened,
    read_from_server,
    write_json,
    write_text,
)
from faultbook.operations.timeline import read_timeline as read_stored
from faultbook.view.documents import timeline_document
from faultbook.view.reading import read_timeline
from faultbook.view.terminal import timeline_text


@click.command("timeline")
@click.argument("run")
@json_option
@color_option
def command(run: str, *, as_json: bool, color: bool | None) -> None:
    """Print a run's events in order. RUN is its id, or the last 8 characters of it.

    With FAULTBOOK_URL set the server is asked, otherwise the local store.
    """
    document = _ask(read_settings(), run.strip())
    if as_json:
        write_json(document)
    else:
        timeline = read_timeline(document)
        write_text(lambda look: timeline_text(timeline, look), color=color)


def _ask(settings: Settings, run: str) -> dict[str, Any]:
    if settings.url is not None:
        return read_from_server(settings, f"/v1/runs/{quote(run, safe='')}")
    with opened(settings) as house:
        timeline = house.store.read(read_stored, run)
    return timeline_document(timeline)
