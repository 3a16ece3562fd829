"""`faultbook up`: starts the bot and says where everything is."""

import sys

import click

from faultbook.assembly.house import read_settings
from faultbook.assembly.logs import configure_logs
from faultbook.assembly.up import Ready, UpOptions, serve


@click.command("up")
@click.option("--host", help="Where the HTTP server listens. Default: 127.0.0.1.")
@click.option("--port", type=click.IntRange(0, 65535), help="Its port; 0 picks one. Default: 8030.")
@click.option(
    "--workspace-port",
    type=click.IntRange(0, 65535),
    default=8031,
    show_default=True,
    help="The local workspace's page, where no Slack token is set.",
)
@click.option("--samples", is_flag=True, help="Start the sample jobs too.")
@click.option("--no-slack", is_flag=True, help="Serve HTTP only.")
@click.option("--verbose", is_flag=True, help="Log what is done, not only what goes wrong.")
def command(
    host: str | None,
    port: int | None,
    workspace_port: int,
    *,
    samples: bool,
    no_slack: bool,
    verbose: bool,
) -> None:
    """Start the bot, the HTTP server and the timers; Ctrl-C ends them.

    Without SLACK_BOT_TOKEN it starts a local workspace, with a page to try everything in.
    """
    # The faster loop where there is one; plain asyncio serves as well.
    if sys.platform == "win32":
        from asyncio import run  # noqa: PLC0415 - one of two
    else:
        from uvloop import run  # noqa: PLC0415 - one of two
    configure_logs(verbose=verbose)
    settings = read_settings()
    changes = {"host": host, "port": port}
    http = settings.http.model_copy(
        update={name: value for name, value in changes.items() if value is not None}
    )
    options = UpOptions(slack=not no_slack, workspace_port=workspace_port, samples=samples)
    run(serve(settings.model_copy(update={"http": http}), options, _say_ready))
    click.echo("Stopped.")


def _say_ready(ready: Ready) -> None:
    click.echo(f"Faultbook is ready ({ready.seconds:.1f} s).")
    if ready.page:
        click.echo(f"  Ask it    {ready.page}  (type: @faultbook what's failing?)")
    elif ready.team:
        click.echo(f"  Ask it    in Slack, team {ready.team}")
    click.echo(f"  HTTP API  {ready.api}")
    click.echo(f"  Records   {ready.database}")
    if ready.ledger:
        click.echo(f"  Ledger    {ready.ledger}")
    if ready.advice:
        click.echo(f"  Advice    {ready.advice}")
    click.echo("  Stop it   Ctrl-C")
    sys.stdout.flush()
