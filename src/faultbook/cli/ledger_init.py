"""`faultbook ledger init`: a team's ledger, its template and its check, written where none is."""

from pathlib import Path

import click

from faultbook.assembly.templates import template
from faultbook.assembly.worktree import LedgerTree, builtin_template, read_settings
from faultbook.base.errors import InvalidError, NotFoundError
from faultbook.base.text import one_line
from faultbook.cli.wanted import on_terminal, until_accepted
from faultbook.ledger.import_rows import Imported, LeftOut, NewRow, read_rows_of
from faultbook.ledger.init import new_ledger, with_rows
from faultbook.ledger.rule import check_rule
from faultbook.ledger.snapshot import TEMPLATE
from faultbook.ledger.worktree import Worktree, find_worktree

_CI = ".github/workflows/faultbook-ledger.yml"
_GITLAB = ".gitlab-ci.yml"
_FIRST = 5


@click.command("init", short_help="Write ledger, template and CI check where none are.")
@click.option(
    "--from",
    "source",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A markdown table or CSV file with lessons that you have already.",
)
def init(source: Path | None) -> int:
    """Write the ledger, the incident template and a CI check, without touching what is there.

    On a terminal it asks for the first five things that already went wrong. Exit code: 1 when rows
    of --from could not be taken.
    """
    settings = read_settings()
    tree = LedgerTree(_here(settings.ledger.folder), settings)
    imported = _read(source) if source else Imported((), ())
    asked = _ask_first() if source is None and on_terminal() and _is_new(tree) else ()
    _write(tree, (*imported.rows, *asked))
    for row in imported.left_out:
        click.echo(f"{source}:{row.line} left out: {row.why}", err=True)
    if not tree.worktree.has_git:
        click.echo("There is no git repository here yet: git init.", err=True)
    return 1 if imported.left_out else 0


def _here(folder: str) -> Worktree:
    try:
        return find_worktree(Path.cwd(), folder)
    except NotFoundError:
        return Worktree(Path.cwd(), folder, has_git=False)


def _read(source: Path) -> Imported:
    """Read a file's lessons; those whose rule nobody could check are left out, and told."""
    found = read_rows_of(source.read_bytes(), source.name)
    taken: list[NewRow] = []
    left_out = list(found.left_out)
    for row in found.rows:
        try:
            _check(row.rule)
            taken.append(row)
        except InvalidError as error:
            left_out.append(LeftOut(row.line, f"{error.message} {error.next_step}"))
    return Imported(tuple(taken), tuple(sorted(left_out, key=lambda one: one.line)))


def _check(rule: str) -> None:
    # Who wrote it elsewhere is not known, and no row of the ledger says it.
    check_rule(rule, author="an engineer", template_words=builtin_template(), lessons=())


def _is_new(tree: LedgerTree) -> bool:
    return tree.worktree.ledger_path not in tree.worktree.read_files()


def _write(tree: LedgerTree, rows: tuple[NewRow, ...]) -> None:
    worktree = tree.worktree
    with worktree.lock():
        before = worktree.read_files()
        ledger = before.get(worktree.ledger_path)
        data, numbers = with_rows(ledger or new_ledger(), rows)
        wanted = {worktree.ledger_path: data, TEMPLATE: builtin_template().encode()}
        if ledger is not None and not numbers:
            del wanted[worktree.ledger_path]
        if (worktree.root / _GITLAB).exists():
            click.echo(f"Add a job to {_GITLAB} that runs: faultbook ledger check", err=True)
        else:
            wanted[_CI] = template("ledger-ci.yml").read_bytes()
        kept = [path for path in (TEMPLATE, _CI) if (worktree.root / path).exists()]
        for path in kept:
            wanted.pop(path, None)
        written = worktree.write(before, wanted)
    for path in written:
        told = _counted(numbers) if path == worktree.ledger_path else ""
        click.echo(f"{'Changed' if path in before else 'Wrote'} {path}{told}")
    for path in (worktree.ledger_path, *kept):
        if path not in written:
            click.echo(f"Kept {path}")


def _counted(numbers: list[int]) -> str:
    if not numbers:
        return ""
    return ", 1 lesson" if len(numbers) == 1 else f", {len(numbers)} lessons"


def _ask_first() -> tuple[NewRow, ...]:
    click.echo(
        f"Name up to {_FIRST} things that already went wrong. An empty answer ends it.", err=True
    )
    rows: list[NewRow] = []
    while len(rows) < _FIRST:
        what = _asked(f"{len(rows) + 1}. What failed")
        if not what:
            break
        told = {"fix": _asked("   Fix"), "rule": _asked("   The rule: when X, do Y, held by Z")}
        until_accepted(told, "rule", _check)
        rows.append(NewRow(what, told["fix"], told["rule"], _asked("   Area")))
    return tuple(rows)


def _asked(question: str) -> str:
    return one_line(str(click.prompt(question, default="", show_default=False, err=True)))
