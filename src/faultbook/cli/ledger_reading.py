"""The reading half of `faultbook ledger`: show, search, stats, review."""

import difflib
from pathlib import PurePosixPath

import click

from faultbook.assembly.worktree import open_tree, read_counted, read_settings
from faultbook.base.errors import NotFoundError
from faultbook.base.text import cut, one_line
from faultbook.cli.asking import json_option, write_json
from faultbook.ledger.incident_file import IncidentFile
from faultbook.ledger.snapshot import LedgerSnapshot
from faultbook.ledger.stats import count_ledger
from faultbook.model.known_failure import Repeats
from faultbook.model.lesson import Lesson
from faultbook.view.ledger_documents import incident_document, lesson_document, stats_document
from faultbook.view.ledger_text import lesson_text, lessons_text, matches_text, stats_text

_MOST = 20


@click.command("show")
@click.argument("number", type=click.IntRange(min=1))
@json_option
def show(number: int, *, as_json: bool) -> None:
    """Show lesson NUMBER whole, with its incident."""
    settings = read_settings()
    state = open_tree(settings).read()
    lesson = state.lesson(number)
    if lesson is None:
        raise NotFoundError(
            f"The ledger has no lesson {number}.",
            code="lesson_unknown",
            next_step="Search for it: faultbook ledger search WORDS.",
            where="NUMBER",
        )
    repeats = read_counted(settings)
    incident = _incident_of(lesson, state)
    if as_json:
        told = incident_document(incident) if incident else None
        write_json(lesson_document(lesson, repeats) | {"incident_file": told})
    else:
        click.echo(lesson_text(lesson, incident, repeats.get(number, Repeats())), nl=False)


def _incident_of(lesson: Lesson, state: LedgerSnapshot) -> IncidentFile | None:
    if lesson.incident is None:
        return None
    return state.incidents.get(str(PurePosixPath(state.folder) / lesson.incident))


@click.command("search")
@click.argument("words", nargs=-1, required=True)
@click.option("--area", help="Only lessons of this area.")
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=_MOST, show_default=True, help="How many."
)
@json_option
def search(words: tuple[str, ...], area: str | None, limit: int, *, as_json: bool) -> int:
    """Find lessons by WORDS, retired ones last. Exit code: 0 found, 1 none matches."""
    settings = read_settings()
    state = open_tree(settings).read()
    asked = " ".join(words)
    found = state.index.search(asked, limit, area)
    repeats = read_counted(settings) if found else {}
    if as_json:
        told = [
            lesson_document(match.lesson, repeats) | {"score": _score(match.score)}
            for match in found
        ]
        write_json({"words": asked, "area": area, "matches": told})
    else:
        click.echo(matches_text(found, repeats, cut(one_line(asked), 80)), nl=False)
    return 0 if found else 1


def _score(score: float) -> float | None:
    """Round a score; one that was asked for by its number has none."""
    return None if score == float("inf") else round(score, 3)


@click.command("stats", short_help="Count areas, repeats, late rules, rules held by tests.")
@json_option
def stats(*, as_json: bool) -> None:
    """Count lessons by area, repeats after a rule, how soon rules came, and what holds them."""
    settings = read_settings()
    tree = open_tree(settings)
    state = tree.read()
    incidents = {path: file.fields for path, file in state.incidents.items()}
    counted = {lesson: found.count for lesson, found in read_counted(settings).items()}
    committed = tree.worktree.commit_times() if tree.worktree.has_git else {}
    names_test = tree.worktree.names_test
    told = count_ledger(state.lessons, incidents, committed, counted, names_test)
    if as_json:
        write_json(stats_document(told))
    else:
        click.echo(stats_text(told), nl=False)


@click.command("review")
@click.argument("area")
@json_option
def review(area: str, *, as_json: bool) -> None:
    """Print the lessons to read before a new automation starts in AREA."""
    settings = read_settings()
    state = open_tree(settings).read()
    found = [lesson for lesson in state.index.in_area(area) if not lesson.retired]
    repeats = read_counted(settings)
    if as_json:
        told = [lesson_document(lesson, repeats) for lesson in found]
        write_json({"area": area, "lessons": told})
        return
    shown = cut(one_line(area), 80)
    if not found:
        click.echo(f"No lesson in `{shown}`.{_nearest(area, state)}")
        return
    count = "1 lesson" if len(found) == 1 else f"{len(found)} lessons"
    click.echo(f"{count} to read before something new starts in `{shown}`")
    click.echo(lessons_text(found, repeats), nl=False)


def _nearest(area: str, state: LedgerSnapshot) -> str:
    known = sorted({lesson.area for lesson in state.lessons if lesson.area})
    near = difflib.get_close_matches(area, known, n=1, cutoff=0.5)
    if near:
        return f" Nearest: `{one_line(near[0])}`."
    named = ", ".join(f"`{one_line(one)}`" for one in known[:_MOST])
    return f" Areas: {named}." if named else " No lesson names an area yet."
