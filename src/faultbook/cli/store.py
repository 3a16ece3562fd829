"""`faultbook store`: prepare the database that the settings name."""

import click

from faultbook.assembly.house import read_settings
from faultbook.cli.asking import opened
from faultbook.store.migrate import HEAD
from faultbook.store.roles import APP_ROLE, roles_sql


@click.group("store")
def command() -> None:
    """Prepare the database: its tables, and a role that can't rewrite the log."""


@command.command("migrate")
def migrate() -> None:
    """Bring the tables up to date, as the owner that FAULTBOOK_DATABASE_URL names.

    Every command does so where its role may; an app's own role on PostgreSQL may not.
    """
    with opened(read_settings()):
        click.echo(f"The tables are up to date, at schema {HEAD}.")


@command.command("roles")
@click.option("--role", default=APP_ROLE, show_default=True, help="The name of the app's role.")
def roles(role: str) -> None:
    """Print the SQL for an app's role on PostgreSQL that can't rewrite the audit log.

    It may append to the log and read it, and do what the app needs elsewhere; it owns nothing.
    Nothing is changed here: read it, then hand it to psql as the owner of the tables.
    """
    click.echo(roles_sql(role), nl=False)
