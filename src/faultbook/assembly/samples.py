"""The samples of `make run`: jobs, routes, a policy, and agents that are processes of their own."""

import os
import secrets
import shutil
import tomllib
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

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
_OWNER_THERE = "ana"
"""Who answers for the agents in the local workspace, by the handle."""
_TOKEN = "tok-sample-"  # noqa: S105 - how the ids begin, which are no secrets
_ASKING_SECONDS = 5.0


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
    told = await _asked(workspace, "conversations.list")
    return {f"#{one['name']}": one["id"] for one in told["channels"]}


async def _owner(workspace: Workspace | None) -> str:
    """Give the member id of who answers for the agents; in a real Slack nobody is set to."""
    if workspace is None:
        return _OWNER
    members = (await _asked(workspace, "users.list"))["members"]
    return next((str(one["id"]) for one in members if one["name"] == _OWNER_THERE), _OWNER)


async def _asked(workspace: Workspace, method: str) -> dict[str, Any]:
    async with httpx.AsyncClient(timeout=_ASKING_SECONDS, trust_env=False) as client:
        answer = await client.get(
            f"{workspace.api_url}{method}",
            headers={"Authorization": f"Bearer {workspace.bot_token}"},
        )
    told: dict[str, Any] = answer.json()
    return told


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


async def start_sample_agents(
    house: House, api: str, stack: AsyncExitStack, workspace: Workspace | None
) -> None:
    """Start the agents, which claim their tasks over HTTP, each with a token of its own."""
    owner = await _owner(workspace)
    for name, script in _AGENTS.items():
        secret = tokens.new_secret()
        token = Token(
            id=f"{_TOKEN}{secrets.token_hex(4)}",
            agent=name,
            owner=owner,
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
        is_samples = known.id.startswith(_TOKEN) or known.owner == _OWNER
        if is_samples and known.agent == token.agent and known.revoked_at is None:
            tokens.revoke_token(tx, known.id)
    tokens.create_token(tx, token, digest)
