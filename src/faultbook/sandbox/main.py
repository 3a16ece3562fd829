"""The command: `python -m faultbook.sandbox`, or `faultbook sandbox` where it is mounted."""

from collections.abc import Sequence
from pathlib import Path

import click


@click.command("sandbox")
@click.option("--port", default=8031, show_default=True, help="The page's port; 0 picks one.")
@click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Where tokens and messages are kept.",
)
@click.option("--bot-url", default="", help="Where signed events go while no socket is open.")
@click.option(
    "--manifest",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The app manifest to hold the bot to: scopes, events, commands, shortcuts.",
)
@click.option(
    "--rate-limits/--no-rate-limits", default=True, help="Whether Slack's method tiers apply."
)
def command(
    port: int, home: Path, bot_url: str, manifest: Path | None, *, rate_limits: bool
) -> None:
    """Run a local Slack workspace on 127.0.0.1, with a page to use it.

    Prints one line of JSON when it is ready: addresses and tokens for the bot.
    """
    import asyncio  # noqa: PLC0415 - a mounted command must not cost the others their start

    from faultbook.sandbox.core import Sandbox  # noqa: PLC0415 - as above
    from faultbook.sandbox.home import alone  # noqa: PLC0415 - as above
    from faultbook.sandbox.manifest import load  # noqa: PLC0415 - as above
    from faultbook.sandbox.options import Options  # noqa: PLC0415 - as above
    from faultbook.sandbox.server import run  # noqa: PLC0415 - as above

    async def serve() -> None:
        rules = load(manifest)
        options = Options(
            bot_url=bot_url, rate_limits=rate_limits, subscriptions=list(rules.events)
        )
        with alone(home):
            await run(Sandbox(home, rules, options), port)

    try:
        asyncio.run(serve())
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the command.

    Args:
        argv: The arguments; those of the process without any.
    """
    command.main(
        args=list(argv) if argv is not None else None, prog_name="python -m faultbook.sandbox"
    )
