"""The entry: finds a command's module only when it is asked for, and explains every error once."""

import difflib
import importlib
import secrets
import sys
import traceback
from pathlib import Path
from typing import NoReturn

import click

from faultbook.base.errors import FaultbookError

EXIT_CANT_TELL = 2
EXIT_BUG = 70  # EX_SOFTWARE, sysexits.h

# name -> "module:attribute"; importing a command costs time that the others should not pay.
_COMMANDS = {
    "approval": "faultbook.cli.approval:command",
    "audit": "faultbook.cli.audit:command",
    "diff": "faultbook.cli.diff:command",
    "failing": "faultbook.cli.failing:command",
    "import": "faultbook.cli.import_:command",
    "incident": "faultbook.cli.incident:command",
    "ledger": "faultbook.cli.ledger:command",
    "notices": "faultbook.cli.notices:command",
    "run": "faultbook.cli.run:command",
    "sandbox": "faultbook.sandbox.main:command",
    "store": "faultbook.cli.store:command",
    "task": "faultbook.cli.task:command",
    "timeline": "faultbook.cli.timeline:command",
    "token": "faultbook.cli.token:command",
    "up": "faultbook.cli.up:command",
}
_SHORT_HELP = {
    "approval": "Ask people, see what they said, and decide.",
    "audit": "Read the audit log, verify it, take it elsewhere.",
    "diff": "Compare the verdicts of two commits or two moments.",
    "failing": "Say what is failing, how we know, and how fresh that is.",
    "import": "Record runs from test reports.",
    "incident": "Open, check, close and list incident files.",
    "ledger": "Keep the lessons in git: add, check, search, count.",
    "notices": "List, retry or drop what could not be delivered.",
    "run": "Run a command, verify what it promised, and record the run.",
    "sandbox": "Run the local workspace alone.",
    "store": "Prepare the database: its tables, and a role that can't rewrite the log.",
    "task": "Give tasks, see how they stand, and work on them.",
    "timeline": "Print a run's events in order.",
    "token": "Make, list and revoke the tokens of agents and people.",
    "up": "Start the bot and the HTTP server.",
}


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        target = _COMMANDS.get(cmd_name)
        if target is None:
            return None
        module, _, attribute = target.partition(":")
        found: click.Command = getattr(importlib.import_module(module), attribute)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            [nearest] = difflib.get_close_matches(args[0], _COMMANDS, n=1, cutoff=0)
            raise click.UsageError(f"`{args[0]}` is no command. Nearest: `{nearest}`.", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(sorted(_SHORT_HELP.items()))


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="faultbook")
def cli() -> None:
    """Say what is failing, from verified evidence, and keep the lessons."""


def main() -> NoReturn:
    """Run the command line; the exit code is 0 fine, 1 "no", 2 can't tell or usage, 70 a bug."""
    try:
        code = cli.main(standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except click.exceptions.Exit as end:
        sys.exit(end.exit_code)
    except click.Abort:
        click.echo("Stopped.", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(EXIT_CANT_TELL)
    except FaultbookError as error:
        explain(error)
        sys.exit(EXIT_CANT_TELL)
    except Exception as error:  # noqa: BLE001 - the last boundary: a bug gets a number
        _explain_bug(error)
        sys.exit(EXIT_BUG)


def explain(error: FaultbookError) -> None:
    """Say on stderr what happened and what to do next; a server's words may be in it."""
    from faultbook.base.text import visible  # noqa: PLC0415 - only an error pays for it

    click.echo(visible(f"faultbook: {error.message} [{error.code}]"), err=True)
    if error.next_step:
        click.echo(visible(f"    next: {error.next_step}"), err=True)


def _explain_bug(error: Exception) -> None:
    from faultbook.base.redaction import redact  # noqa: PLC0415 - only a bug pays for it

    number = f"E-{secrets.token_hex(2)}"
    details = Path(f"faultbook-{number}.txt")
    where = f"Details are in {details}."
    try:
        details.write_text(redact("".join(traceback.format_exception(error))), "utf-8")
    except OSError:
        where = f"{type(error).__name__}: {redact(str(error))}"
    click.echo(f"faultbook failed ({number}): this is a bug in Faultbook. {where}", err=True)
