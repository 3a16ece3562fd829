"""The samples of `make run`: jobs, routes, and an agent that is a process of its own."""

import os
import secrets
import shutil
import tomllib
from contextlib import AsyncExitStack
from pathlib import Path

from faultbook.assembly.commands import command_environ
from faultbook.assembly.house import House
from faultbook.assembly.templates import template
from faultbook.base.settings import RouteSettings, Settings
from faultbook.intake.timer.samples import SampleAgent, SampleJobs
from faultbook.model.token import Scope, Token
from faultbook.operations import tokens
from faultbook.store.transaction import Transaction

_AGENT, _OWNER = "invoice-bot", "samples"


def with_sample_routes(settings: Settings) -> Settings:
    """Add the samples' routes behind those of the settings."""
    told = tomllib.loads(template("samples/routes.toml").read_text("utf-8"))["routes"]
    own = {route.name for route in settings.routes}
    more = [RouteSettings(**route) for route in told if route["name"] not in own]
    return settings.model_copy(update={"routes": [*settings.routes, *more]})


def sample_folders(settings: Settings) -> dict[str, Path]:
    """Make the folders of the sample routes' commands, with their files; by route."""
    folder = settings.home.absolute() / "samples" / "stock-count"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("stock-count.sh", "stock.csv"):
        shutil.copy(template(f"samples/{name}"), folder / name)
    return {"stock-count": folder}


def start_sample_jobs(house: House, stack: AsyncExitStack) -> None:
    """Start the jobs; the stack stops them."""
    work = house.settings.home.absolute() / "samples"
    environ = command_environ(os.environ, house.settings)
    jobs = SampleJobs(template("samples"), work, house.policy.main_branch, environ)
    jobs.start()
    stack.push_async_callback(jobs.stop)


async def start_sample_agent(house: House, api: str, stack: AsyncExitStack) -> None:
    """Start the agent, which claims its tasks over HTTP with a token of its own."""
    secret = tokens.new_secret()
    token = Token(
        id=f"tok-{secrets.token_hex(4)}",
        agent=_AGENT,
        owner=_OWNER,
        scopes=frozenset({Scope.TASKS_WORK}),
        workflows=frozenset(),
        created_at=house.clock(),
    )
    await house.store.write_async(_replace_token, token, tokens.digest(secret))
    stack.push_async_callback(house.store.write_async, tokens.revoke_token, token.id)
    environ = command_environ(os.environ, house.settings)
    agent = SampleAgent(
        template("samples/invoice_bot.py"),
        house.settings.home.absolute() / "samples" / _AGENT,
        environ | {"FAULTBOOK_URL": api, "FAULTBOOK_TOKEN": secret},
    )
    agent.start()
    stack.push_async_callback(agent.stop)


def _replace_token(tx: Transaction, token: Token, digest: str) -> None:
    """Make the agent's token, and end those of earlier starts, whose secrets are gone."""
    for known in tokens.list_tokens(tx):
        if (known.agent, known.owner) == (_AGENT, _OWNER) and known.revoked_at is None:
            tokens.revoke_token(tx, known.id)
    tokens.create_token(tx, token, digest)
