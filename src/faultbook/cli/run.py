"""`faultbook run`: a job, passed through untouched and recorded."""

import click

from faultbook.base.errors import InvalidError
from faultbook.intake.wrapper.duration import parse_duration
from faultbook.intake.wrapper.process import Job


class _Duration(click.ParamType[float]):
    name = "duration"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        try:
            return parse_duration(str(value))
        except InvalidError as error:
            self.fail(f"{error.message} {error.next_step}", param, ctx)


_DURATION = _Duration()


@click.command("run", context_settings={"allow_interspersed_args": False})
@click.option("--workflow", required=True, help="What the job is called.")
@click.option("--environment", help="Where it runs. Default: the team's, production.")
@click.option("--branch", help="Default: the git work tree's, the CI's, or the main branch.")
@click.option(
    "--artifact",
    "artifacts",
    multiple=True,
    metavar="PATH",
    help="A file it promises to write anew; patterns such as 'out/*.csv' too. Repeatable.",
)
@click.option("--schema", metavar="FILE", help="JSON Schema that its JSON artifacts have to fit.")
@click.option(
    "--confirm", metavar="COMMAND", help="Run by sh after success; failing, it is unproven."
)
@click.option("--timeout", type=_DURATION, help="Ends the whole process group after so long.")
@click.option(
    "--every", type=_DURATION, help="The next run is due so long after this start: 1h, 1d."
)
@click.option("--grace", type=_DURATION, help="How much later than due it may come.")
@click.option("--code-version", help="Default: the commit that is checked out.")
@click.option("--url", help="A page about this run. Default: the CI's own.")
@click.option("--verbose", is_flag=True, help="Say on stderr what was recorded, and where.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def command(
    *, command: tuple[str, ...], every: float | None, grace: float | None, **given: object
) -> int:
    """Run COMMAND as it is, verify what it promised, and record the run.

    Its streams and signals pass through, and its exit code is ours: 128+n when signal n ended it,
    126 or 127 when it can't be started. Trouble with the record never stops it; such records are
    kept and delivered later. Exit 2: wrong usage, and nothing was started.
    """
    if grace is not None and every is None:
        raise click.UsageError("--grace says how late; say with --every how often.")
    if not command[0]:
        raise click.UsageError("The command is empty.")
    # First of all, while this process is small: see intake.wrapper.launch.
    job = Job(command)
    try:
        from faultbook.assembly.wrapping import run_wrapped  # noqa: PLC0415 - the same reason
        from faultbook.intake.wrapper.order import Order  # noqa: PLC0415 - the same reason

        order = Order(every=every, grace=grace, **given)  # type: ignore[arg-type] # the options above
        return run_wrapped(job, order)
    except BaseException:
        job.cancel()
        raise
