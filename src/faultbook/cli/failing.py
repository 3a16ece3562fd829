"""`faultbook failing`: what is failing, how we know, and how fresh that is."""

import sys
from typing import Any

import click

from faultbook.assembly.house import read_settings
from faultbook.base.clock import iso, system_clock
from faultbook.base.settings import Settings
from faultbook.base.when import parse_when
from faultbook.cli.asking import (
    color_option,
    json_option,
    opened,
    read_from_server,
    write_json,
    write_text,
)
from faultbook.model.answer import FailingQuery
from faultbook.operations.failing import ask_failing
from faultbook.view.documents import failing_document
from faultbook.view.reading import read_failing
from faultbook.view.terminal import failing_text


@click.command("failing")
@json_option
@click.option("--environment", help="Only this environment.")
@click.option("--workflow", help="Only this workflow.")
@click.option("--branch", help="This branch instead of the main one.")
@click.option("--all-branches", is_flag=True, help="Every branch.")
@click.option(
    "--since",
    metavar="WHEN",
    help="Only what broke since: yesterday, Monday, '3 hours ago', 14:00, 2026-11-18 (UTC).",
)
@color_option
def command(
    environment: str | None,
    workflow: str | None,
    branch: str | None,
    since: str | None,
    *,
    all_branches: bool,
    as_json: bool,
    color: bool | None,
) -> None:
    """Say what is failing, how we know, and how fresh that is.

    Exit code: 0 nothing is failing, over fresh data; 1 something is failing, blocked or degraded;
    2 can't tell: no records, old records, or at worst unproven, silent or unknown.

    With FAULTBOOK_URL set the server is asked, otherwise the local store.
    """
    if branch is not None and all_branches:
        raise click.UsageError("Give --branch or --all-branches, not both.")
    query = FailingQuery(
        environment=environment,
        workflow=workflow,
        branch=branch,
        since=None if since is None else parse_when(since, system_clock()),
        all_branches=all_branches,
    )
    document = _ask(read_settings(), query)
    if as_json:
        write_json(document)
    else:
        answer = read_failing(document)
        write_text(lambda look: failing_text(answer, look), color=color)
    sys.exit(int(document["exit_code"]))


def _ask(settings: Settings, query: FailingQuery) -> dict[str, Any]:
    if settings.url is not None:
        return read_from_server(settings, "/v1/failing", _parameters(query))
    with opened(settings) as house:
        return failing_document(ask_failing(house.store, query, house.policy))


def _parameters(query: FailingQuery) -> dict[str, str]:
    named = {
        "environment": query.environment,
        "workflow": query.workflow,
        "branch": query.branch,
        "since": None if query.since is None else iso(query.since),
        "all_branches": "true" if query.all_branches else None,
    }
    return {name: value for name, value in named.items() if value is not None}
