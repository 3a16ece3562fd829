"""`faultbook token`: make, list and revoke the tokens of agents and of people."""

import difflib
import secrets
from typing import Any

import click
from pydantic import TypeAdapter, ValidationError

from faultbook.assembly.house import read_settings
from faultbook.base.clock import iso, iso_or_none
from faultbook.base.errors import InvalidError
from faultbook.base.redaction import redact
from faultbook.base.text import cut, one_line, visible
from faultbook.cli.asking import json_option, opened, person_here, write_json
from faultbook.model.document_fields import Name
from faultbook.model.token import Scope, Token
from faultbook.operations import tokens
from faultbook.operations.approval_steps import Refusal

_NAME: TypeAdapter[str] = TypeAdapter(Name)
_SCOPES = tuple(scope.value for scope in Scope)


@click.group("token")
def command() -> None:
    """Make, list and revoke the tokens of agents and of people.

    A token says who reports: one for each agent, owned by a person, held to its scopes and,
    where they are named, to its workflows. A person's own token decides about approvals, which
    no agent's can. Tokens are stored hashed and shown once; who made or revoked one is audited.
    """


@command.command("create")
@click.option("--agent", help="The agent that reports with it.")
@click.option("--owner", help="Who answers for the agent, by Slack's member id.")
@click.option("--person", help="Instead of these: whose own it is, by Slack's member id.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    metavar="SCOPE",
    help=f"What it may do; may be given several times: {', '.join(_SCOPES)}.",
)
@click.option(
    "--workflow",
    "workflows",
    multiple=True,
    help="Only these workflows; may be given several times. Without it, all.",
)
def create(
    agent: str | None,
    owner: str | None,
    person: str | None,
    scopes: tuple[str, ...],
    workflows: tuple[str, ...],
) -> None:
    """Make a token and print it, once, to stdout.

    An agent's names --agent and --owner; a person's names --person, and has of the scopes
    approvals:decide, approvals:read and audit:read. People are named by Slack's member id, such as
    U012AB3CD, which nobody can change: Slack shows it in a profile, behind the three dots, as Copy
    member ID. Without Slack any name will do.
    """
    _check_whose(agent, owner, person, workflows)
    for scope in scopes:
        _check_scope(scope)
    names = {"--agent": agent, "--owner": owner, "--person": person}
    for option, name in [*names.items(), *(("--workflow", name) for name in workflows)]:
        _check_name(option, name)
    secret = tokens.new_secret()
    with opened(read_settings()) as house:
        token = Token(
            id=f"tok-{secrets.token_hex(4)}",
            agent=agent or "",
            owner=owner or person or "",
            scopes=frozenset(scopes),
            workflows=frozenset(workflows),
            created_at=house.clock(),
            person=person,
        )
        done = house.store.write(tokens.create_token, token, tokens.digest(secret), person_here())
    if isinstance(done, Refusal):
        raise done.error
    held = f"{', '.join(sorted(token.scopes))}{'' if token.is_person else f'; {_bound(token)}'}"
    click.echo(
        f"{token.id}: {_whose(token)}; {held}.\nIt is shown this once; set it as FAULTBOOK_TOKEN.",
        err=True,
    )
    click.echo(secret)


@command.command("list")
@json_option
def list_(*, as_json: bool) -> None:
    """List every token, revoked ones too; what is secret in them is not kept."""
    with opened(read_settings()) as house:
        found = house.store.read(tokens.list_tokens)
    if as_json:
        write_json({"tokens": [_document(token) for token in found]})
        return
    for token in found:
        click.echo(_line(token))
    if not found:
        click.echo("No token yet. Make one with: faultbook token create.", err=True)


@command.command("revoke")
@click.argument("token_id", metavar="ID")
def revoke(token_id: str) -> None:
    """Revoke a token; servers refuse it within seconds."""
    with opened(read_settings()) as house:
        was_valid = house.store.write(tokens.revoke_token, token_id, person_here())
    words = "revoked" if was_valid else "was revoked before; nothing changed"
    click.echo(f"{token_id} {words}.", err=True)


def _check_whose(
    agent: str | None, owner: str | None, person: str | None, workflows: tuple[str, ...]
) -> None:
    is_persons = person is not None
    if is_persons != (agent is None and owner is None) or (agent is None) != (owner is None):
        raise InvalidError(
            "A token is an agent's, with its owner, or a person's.",
            code="whose_token",
            next_step="Give --agent and --owner, or --person alone.",
            where="--person" if is_persons else "--agent",
        )
    if is_persons and workflows:
        raise InvalidError(
            "A person's token records no runs, so it is bound to no workflow.",
            code="whose_token",
            next_step="Leave out --workflow.",
            where="--workflow",
        )


def _check_scope(scope: str) -> None:
    if scope in _SCOPES:
        return
    shown = cut(one_line(redact(scope)), 80)
    near = difflib.get_close_matches(scope, _SCOPES, n=1, cutoff=0)
    raise InvalidError(
        f"`{shown}` is no scope.",
        code="unknown_scope",
        next_step=f"Nearest: {near[0]}.",
        where="--scope",
    )


def _check_name(option: str, name: str | None) -> None:
    if name is None:
        return
    if redact(name) != name:
        raise InvalidError(
            f"{option} holds what looks like a secret, and would be stored and shown.",
            code="secret_in_name",
            next_step="Give a name; the token's secret is made for it.",
            where=option,
        )
    try:
        _NAME.validate_python(name)
    except ValidationError as error:
        raise InvalidError(
            f"{option}: `{cut(one_line(name), 80)}` does not fit.",
            code="bad_name",
            next_step="Write 1 to 200 characters on one line, without blanks at the ends.",
            where=option,
        ) from error


def _document(token: Token) -> dict[str, Any]:
    return {
        "id": token.id,
        "agent": token.agent or None,
        "owner": token.owner,
        "person": token.person,
        "scopes": sorted(token.scopes),
        "workflows": sorted(token.workflows),
        "created_at": iso(token.created_at),
        "revoked_at": iso_or_none(token.revoked_at),
    }


def _line(token: Token) -> str:
    state = f"revoked {iso(token.revoked_at)}" if token.revoked_at else "valid"
    scopes = ", ".join(sorted(token.scopes))
    whose = f"{token.agent}  owner {token.owner}"
    parts = [token.id, whose, scopes, _bound(token), state]
    if token.is_person:
        parts = [token.id, _whose(token), scopes, state]
    return visible("  ".join(parts))


def _whose(token: Token) -> str:
    return f"{token.person}'s own" if token.is_person else f"{token.agent}, owned by {token.owner}"


def _bound(token: Token) -> str:
    return ", ".join(sorted(token.workflows)) or "all workflows"
