"""`faultbook incident`: incident files in the repository that one stands in."""

from datetime import UTC, datetime
from pathlib import PurePosixPath

import click

from faultbook.assembly.worktree import open_tree, read_settings
from faultbook.base.errors import ConflictError, NotFoundError
from faultbook.base.text import cut, one_line
from faultbook.cli.asking import json_option, write_json
from faultbook.cli.ledger import commit_option, say_done
from faultbook.cli.ledger_check import run_check
from faultbook.cli.wanted import Wanted, completed, until_accepted
from faultbook.ledger.incident_file import IncidentFile
from faultbook.ledger.rule import check_rule
from faultbook.ledger.snapshot import LedgerSnapshot
from faultbook.model.incident import Enforcement, IncidentStatus, Severity
from faultbook.model.ledger_operation import LedgerVerb
from faultbook.view.ledger_documents import incident_document
from faultbook.view.ledger_text import incidents_text

_SEVERITIES = tuple(severity.value for severity in Severity)
_ENFORCEMENTS = tuple(enforcement.value for enforcement in Enforcement)
_STATUSES = tuple(status.value for status in IncidentStatus)


@click.group("incident")
def command() -> None:
    """Keep an incident file for each failure that matters: lessons/incidents/*.md.

    Files are changed in place, and committed only with --commit.
    """


@command.command("open")
@click.option("--title", help="What failed, in a few words.")
@click.option("--severity", type=click.Choice(_SEVERITIES), help="How much it hurt.")
@click.option("--area", help="What it belongs to: a service, a workflow.")
@click.option("--owner", help="Who sees to it.")
@click.option("--what-failed", help="What happened, and how it was noticed.")
@click.option("--rule", help="The prevention rule: one sentence a stranger can check.")
@click.option("--rule-author", help="Who wrote the rule. Default: git's user.name.")
@click.option("--why-linked", help="How this detail changes what somebody does next time.")
@click.option("--date", help="The day it happened, YYYY-MM-DD. Default: today, in UTC.")
@click.option(
    "--enforcement",
    type=click.Choice(_ENFORCEMENTS),
    default=Enforcement.NONE.value,
    show_default=True,
    help="What holds the rule.",
)
@click.option("--enforcement-ref", default="", help="Where it is held: a test's path.")
@click.option("--impact", default="", help="Who felt it, and how.")
@click.option("--root-cause", default="", help="Why it happened.")
@click.option("--fix", default="", help="What was done about it.")
@click.option("--related", multiple=True, metavar="NAME", help="A file or tool. Repeatable.")
@click.option("--repeats", type=click.IntRange(min=1), help="The lesson whose failure it is again.")
@click.option("--enforcement-change", help="With --repeats: what holds the rule from now on.")
@commit_option
@json_option
def open_(
    *,
    commit: bool,
    as_json: bool,
    related: tuple[str, ...],
    repeats: int | None,
    **given: str | None,
) -> None:
    """Open an incident: its file and its row in the ledger, with the required prevention rule.

    On a terminal, what is missing is asked for.
    """
    tree = open_tree(read_settings())
    state, me = tree.read(), tree.worktree.author()
    told = completed(given, _wanted(me))
    author = given["rule_author"] or me

    def check(rule: str) -> None:
        check_rule(
            rule,
            author=author,
            template_words=state.template,
            lessons=state.lessons,
            repeats=repeats,
            enforcement_change=given["enforcement_change"],
        )

    until_accepted(told, "rule", check)
    optional = ("enforcement", "enforcement_ref", "impact", "root_cause", "fix")
    payload: dict[str, object] = {name: given[name] or "" for name in optional} | {
        **{name: told[name] for name in ("title", "severity", "area", "owner", "what_failed")},
        "why_linked": told["why_linked"],
        "date": given["date"] or datetime.now(UTC).date().isoformat(),
        "prevention_rule": told["rule"],
        "rule_author": author,
        "related": list(related),
        "repeats": repeats,
        "enforcement_change": given["enforcement_change"],
    }
    done = tree.change(LedgerVerb.OPEN_INCIDENT, payload, author=me, commit=commit)
    say_done(done, f"Incident opened, lesson {done.change.number},", as_json=as_json)


def _wanted(me: str) -> tuple[Wanted, ...]:
    return (
        Wanted("title", "Title"),
        Wanted("severity", "Severity", choices=_SEVERITIES, default=Severity.MEDIUM.value),
        Wanted("area", "Area"),
        Wanted("owner", "Owner", default=me or None),
        Wanted("what_failed", "What failed, and how was it noticed?", long=True),
        Wanted("rule", "Prevention rule: when X, do Y, held by Z"),
        Wanted("why_linked", "How does this detail change what somebody does next time?"),
    )


@command.command("check")
@click.option("--base", metavar="REV", help="Compare with this commit. Default: see ledger check.")
@json_option
def check(base: str | None, *, as_json: bool) -> int:
    """Check the incident files, as `faultbook ledger check` does with all. Exit code: 0, 1, 2."""
    tree = open_tree(read_settings())
    inside = f"{tree.worktree.folder}/incidents/"
    return run_check(tree, base, as_json=as_json, wanted=lambda path: path.startswith(inside))


@command.command("close")
@click.argument("incident")
@click.option(
    "--verification", help="What shows that the fix works: a run that passed, or an artifact."
)
@commit_option
@json_option
def close(incident: str, verification: str | None, *, commit: bool, as_json: bool) -> None:
    """Close INCIDENT: its file's path or name, or its lesson's number."""
    tree = open_tree(read_settings())
    file = _find(incident, tree.read())
    wanted = Wanted("verification", "What shows that it works: a run that passed, or an artifact?")
    told = completed({"verification": verification}, (wanted,))
    payload = {"path": file.path, "verification": told["verification"]}
    done = tree.change(
        LedgerVerb.CLOSE_INCIDENT, payload, author=tree.worktree.author(), commit=commit
    )
    words = "Incident closed" if done.paths else "The incident was closed before"
    say_done(done, words, as_json=as_json)


@command.command("list")
@click.option("--status", type=click.Choice(_STATUSES), help="Only open or closed ones.")
@json_option
def list_(status: str | None, *, as_json: bool) -> None:
    """List the incidents, the newest first."""
    state = open_tree(read_settings()).read()
    found = [
        file
        for file in sorted(
            state.incidents.values(), key=lambda file: (file.fields.date, file.path), reverse=True
        )
        if status is None or file.fields.status.value == status
    ]
    if as_json:
        write_json({"incidents": [incident_document(file) for file in found]})
    else:
        click.echo(incidents_text(found), nl=False)
        if not found:
            click.echo("No incident file. Open one: faultbook incident open.", err=True)


def _find(asked: str, state: LedgerSnapshot) -> IncidentFile:
    """Find an incident by what a person calls it."""
    if asked.isdecimal():
        found = [file for file in state.incidents.values() if file.fields.lesson == int(asked)]
    else:
        name = PurePosixPath(asked.replace("\\", "/")).name.removesuffix(".md")
        found = [file for path, file in state.incidents.items() if PurePosixPath(path).stem == name]
    shown = cut(one_line(asked), 80)
    if not found:
        raise NotFoundError(
            f"No incident file is `{shown}`.",
            code="incident_not_found",
            next_step="List them: faultbook incident list.",
            where="INCIDENT",
        )
    if len(found) > 1:
        raise ConflictError(
            f"{len(found)} incidents belong to lesson {shown}.",
            code="ambiguous_incident",
            next_step=f"Name one: {found[0].path}.",
            where="INCIDENT",
        )
    return found[0]
