"""`faultbook import`: runs from reports that were written elsewhere."""

import json
from typing import Any

import click

from faultbook.assembly.wrapping import Imported, import_reports
from faultbook.base.text import one_line
from faultbook.intake.wrapper.reports import Series
from faultbook.model.verdict import Verdict

_EXIT_CODES = {Verdict.PASSED: 0, Verdict.FAILED: 1}
_CANT_TELL = 2


@click.group("import")
def command() -> None:
    """Record runs from reports that were written elsewhere."""


@command.command("junit")
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option("--workflow", help="All files make one run of it. Default: see above.")
@click.option("--environment", help="Where the tests ran. Default: the team's, production.")
@click.option("--branch", help="Default: the git work tree's, the CI's, or the main branch.")
@click.option("--code-version", help="Default: the commit that is checked out.")
@click.option("--started-at", metavar="TIME", help="RFC 3339. Default: when the file was written.")
@click.option("--url", help="A page about the run. Default: the CI's own.")
@click.option("--dry-run", is_flag=True, help="Say what would be recorded, and record nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def junit(files: tuple[str, ...], *, dry_run: bool, as_json: bool, **series: str | None) -> int:
    """Record JUnit reports: pytest's, Surefire's, GoogleTest's.

    A single file is a run of the workflow `tests`; several are a run each, of the workflow that
    their name says; with --workflow all are one run. Tests are counted by their elements. The same
    report again makes no second run. All files are read before the first is recorded.

    Exit code: 0 all passed, 1 a test failed, 2 no test ran, or nothing was recorded.
    """
    imported = import_reports(files, Series(**series), dry_run=dry_run)
    if as_json:
        click.echo(json.dumps([_document(each) for each in imported], indent=2))
    else:
        for each in imported:
            click.echo(_line(each, dry_run=dry_run))
    verdicts = {each.verdict for each in imported}
    codes = [_EXIT_CODES.get(verdict, _CANT_TELL) for verdict in verdicts]
    return 1 if 1 in codes else max(codes)


def _line(imported: Imported, *, dry_run: bool) -> str:
    report, counts = imported.report, imported.report.counts
    words = f"{imported.verdict.value}: {counts.executed} of {counts.total} tests ran"
    words += f", {counts.failed} failed" if counts.failed else ""
    what = "would be recorded" if dry_run else "was recorded before"
    if imported.run_id is not None:
        what = f"run {imported.run_id[-8:]}"
    lines = [f"{report.workflow}  {words}  ({what})"]
    lines += [f"    {name}" for name in counts.failed_names]
    return "\n".join(lines)


def _document(imported: Imported) -> dict[str, Any]:
    report, judged = imported.report, imported.report.judgement
    return {
        "files": [one_line(path) for path in report.files],
        "workflow": report.workflow,
        "run_id": imported.run_id,
        "verdict": imported.verdict.value,
        "reason": judged.reason.value if judged.reason else None,
        "failure_class": judged.failure_class.value if judged.failure_class else None,
        "tests": {
            "total": report.counts.total,
            "executed": report.counts.executed,
            "failed": report.counts.failed,
            "failed_names": list(report.counts.failed_names),
        },
    }
