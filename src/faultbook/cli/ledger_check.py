"""`faultbook ledger check`: every problem of the ledger's files, with its line and what to do."""

from collections.abc import Callable, Sequence
from typing import Any

import click

from faultbook.assembly.worktree import LedgerTree, open_tree, read_settings
from faultbook.cli.asking import json_option, write_json
from faultbook.ledger.lint import Finding, check_files, fix_files
from faultbook.ledger.snapshot import LedgerSnapshot


@click.command("check")
@click.option("--fix", is_flag=True, help="Mend what is safe to mend, then check.")
@click.option(
    "--base",
    metavar="REV",
    help="Compare with this commit. Default: the merge base with the remote's main branch.",
)
@json_option
def check(base: str | None, *, fix: bool, as_json: bool) -> int:
    """Check the ledger and its incident files.

    Exit code: 0 no problem, or warnings only; 1 there are problems; 2 it can't be told.
    """
    tree = open_tree(read_settings())
    if fix:
        _fix(tree, base)
    return run_check(tree, base, as_json=as_json)


def _fix(tree: LedgerTree, base: str | None) -> None:
    worktree = tree.worktree
    with worktree.lock():
        before = worktree.read_files()
        started, highest = _base(tree, base)
        for path in worktree.write(before, fix_files(before, base=started, highest=highest)):
            click.echo(f"Mended {path}", err=True)


def run_check(
    tree: LedgerTree,
    base: str | None,
    *,
    as_json: bool,
    wanted: Callable[[str], bool] = lambda _path: True,
) -> int:
    """Check a working tree and print what is found; gives the exit code."""
    state = tree.read()
    started, highest = _base(tree, base)
    every = check_files(state.files, base=started, template=state.template, highest=highest)
    found = [finding for finding in every if wanted(finding.path)]
    if as_json:
        write_json({"problems": [_document(finding) for finding in found], **_counted(state)})
    else:
        _print(found, state)
    return 0 if all(finding.warning for finding in found) else 1


def _base(tree: LedgerTree, base: str | None) -> tuple[dict[str, bytes] | None, int]:
    """Read the files that this work started from, and the highest number by then."""
    commit = tree.base(base)
    if commit is None:
        return None, 0
    return tree.worktree.read_files_at(commit), tree.highest(commit)


def _counted(state: LedgerSnapshot) -> dict[str, Any]:
    return {"rows": len(state.lessons), "incidents": len(state.incidents)}


def _document(finding: Finding) -> dict[str, Any]:
    return {
        "path": finding.path,
        "line": finding.line,
        "column": finding.column,
        "code": finding.code,
        "message": finding.message,
        "next_step": finding.next_step,
        "fixable": finding.fixable,
        "warning": finding.warning,
    }


def _print(found: Sequence[Finding], state: LedgerSnapshot) -> None:
    for finding in found:
        where = f"{finding.path}:{finding.line}:{finding.column}"
        warning = "warning: " if finding.warning else ""
        click.echo(f"{where} {finding.code}  {warning}{finding.message}")
        if finding.next_step:
            click.echo(f"    next: {finding.next_step}")
    warnings = sum(finding.warning for finding in found)
    problems = len(found) - warnings
    told = _count(problems, "problem") if problems else "No problems"
    told += f", {_count(warnings, 'warning')}" if warnings else ""
    files = _count(len(state.incidents), "incident file")
    click.echo(f"{told} in {_count(len(state.lessons), 'row')}, {files}")


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
