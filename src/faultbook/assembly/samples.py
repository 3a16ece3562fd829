"""The samples of `make run`: jobs, routes, a policy, and agents that are processes of their own."""

import os
import secrets
import shutil
import tomllib
from contextlib import AsyncExitStack
from pathlib import Path

import httpx

from faultbook.assembly.commands import command_environ
from faultbook.assembly.house import House
from faultbook.assembly.templates import template
from faultbook.assembly.workspace import Workspace
from faultbook.base.settings import RouteSettings, Settings
from faultbook.base.settings_policies import PolicySettings
from faultbook.intake.timer.samples import SampleAgent, SampleJobs
from faultbook.model.token import Scope, Token
from faultbook.operations import tokens
from faultbook.store.transaction import Transaction

_AGENTS = {"invoice-bot": "invoice_bot.py", "refund-bot": "refund_bot.py"}
_OWNER = "samples"
_CHANNELS_SECONDS = 5.0


def with_sample_routes(settings: Settings) -> Settings:
    """Add the samples' routes behind those of the settings."""
    told = tomllib.loads(template("samples/routes.toml").read_text("utf-8"))["routes"]
    own = {route.name for route in settings.routes}
    more = [RouteSettings(**route) for route in told if route["name"] not in own]
    return settings.model_copy(update={"routes": [*settings.routes, *more]})


async def with_sample_policies(settings: Settings, workspace: Workspace) -> Settings:
    """Add the samples' policies behind those of the settings, for the workspace's channels."""
    told = tomllib.loads(template("samples/policies.toml").read_text("utf-8"))["policies"]
    channels = await _channels(workspace)
    own = {policy.name for policy in settings.policies}
    more = []
    for policy in told:
        for threshold in policy["thresholds"]:
            threshold["channels"] = [channels[name] for name in threshold["channels"]]
        if policy["name"] not in own:
            more.append(PolicySettings(**policy))
    return settings.model_copy(update={"policies": [*settings.policies, *more]})


async def _channels(workspace: Workspace) -> dict[str, str]:
    """Give the ids of the workspace's channels by `#name`."""
    async with httpx.AsyncClient(timeout=_CHANNELS_SECONDS, trust_env=False) as client:
        answer = await client.get(
            f"{workspace.api_url}conversations.list",
            headers={"Authorization": f"Bearer {workspace.bot_token}"},
        )
    return {f"#{one['name']}": one["id"] for one in answer.json()["channels"]}


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


async def start_sample_agents(house: House, api: str, stack: AsyncExitStack) -> None:
    """Start the agents, which claim their tasks over HTTP, each with a token of its own."""
    for name, script in _AGENTS.items():
        secret = tokens.new_secret()
        token = Token(
            id=f"tok-{secrets.token_hex(4)}",
            agent=name,
            owner=_OWNER,
            scopes=frozenset({Scope.TASKS_WORK, Scope.APPROVALS_REQUEST, Scope.APPROVALS_READ}),
            workflows=frozenset(),
            created_at=house.clock(),
        )
        await house.store.write_async(_replace_token, token, tokens.digest(secret))
        stack.push_async_callback(house.store.write_async, tokens.revoke_token, token.id)
        environ = command_environ(os.environ, house.settings)
        agent = SampleAgent(
            template(f"samples/{script}"),
            house.settings.home.absolute() / "samples" / name,
            environ | {"FAULTBOOK_URL": api, "FAULTBOOK_TOKEN": secret},
        )
        agent.start()
        stack.push_async_callback(agent.stop)


def _replace_token(tx: Transaction, token: Token, digest: str) -> None:
    """Make an agent's token, and end those of earlier starts, whose secrets are gone."""
    for known in tokens.list_tokens(tx):
        if (known.agent, known.owner) == (token.agent, _OWNER) and known.revoked_at is None:
            tokens.revoke_token(tx, known.id)
    tokens.create_token(tx, token, digest)
