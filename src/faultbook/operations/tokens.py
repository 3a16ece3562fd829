"""Tokens: made, listed, revoked, and recognised; who made or revoked one is audited."""

import hashlib
import secrets
import string
import zlib

from faultbook.base.errors import (
    FaultbookError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    UnauthenticatedError,
)
from faultbook.model.audit import AuditEntry
from faultbook.model.route import COMMAND_AGENT
from faultbook.model.token import COMMAND_LINE, PERSONS_SCOPES, Scope, Token
from faultbook.operations.approval_steps import Refusal
from faultbook.store import tokens
from faultbook.store.transaction import Transaction

_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM_CHARACTERS = 32  # 190 bits
_CHECKSUM_CHARACTERS = 6
# What asks under these names is known to be ours, and may name tasks that it does not hold.
_OURS = frozenset({COMMAND_AGENT, COMMAND_LINE})
OURSELVES = "faultbook"
"""Who executes what was approved, and makes and revokes the samples' tokens."""


def new_secret() -> str:
    """Make a token's secret: `fb_`, 190 random bits and a checksum, after GitHub's format."""
    body = "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM_CHARACTERS))
    return f"fb_{body}{_checksum(body)}"


def is_well_formed(secret: str) -> bool:
    """Tell whether this can be a token at all, without asking the store."""
    body = secret.removeprefix("fb_")
    return (
        secret.startswith("fb_")
        and len(body) == _RANDOM_CHARACTERS + _CHECKSUM_CHARACTERS
        and body[_RANDOM_CHARACTERS:] == _checksum(body[:_RANDOM_CHARACTERS])
    )


def digest(secret: str) -> str:
    """Give what is stored of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def create_token(
    tx: Transaction, token: Token, secret_digest: str, by: str = OURSELVES
) -> Refusal | None:
    """Store a new token by the digest of its secret; `by` is who makes it, for the audit log.

    Refused, and audited so, where a scope is none for an agent, or none for a person.
    """
    error = _why_not(token)
    if error is not None:
        facts = _audited(token) | {"code": error.code}
        tx.audited.append(AuditEntry("token.refused", token.id, by, facts))
        return Refusal(error)
    tokens.append(tx, token, secret_digest)
    tx.audited.append(AuditEntry("token.created", token.id, by, _audited(token)))
    return None


def list_tokens(tx: Transaction) -> list[Token]:
    """List every token."""
    return tokens.list_all(tx)


def revoke_token(tx: Transaction, token_id: str, by: str = OURSELVES) -> bool:
    """Revoke a token; tells whether it was valid until now. `by` is who does, for the audit log.

    Raises:
        NotFoundError: there is no such token.
    """
    found = next((token for token in tokens.list_all(tx) if token.id == token_id), None)
    if found is None:
        raise NotFoundError(
            f"There is no token `{token_id[:80]}`.",
            code="token_not_found",
            next_step="List them: faultbook token list.",
            where="token",
        )
    if not tokens.revoke(tx, token_id):
        return False
    tx.audited.append(AuditEntry("token.revoked", token_id, by, _audited(found)))
    return True


def authenticate(tx: Transaction, secret: str) -> Token:
    """Recognise a token.

    Raises:
        UnauthenticatedError: it is none of ours, or it was revoked.
    """
    token = tokens.find_by_digest(tx, digest(secret)) if is_well_formed(secret) else None
    if token is None:
        raise UnauthenticatedError(
            "This token is not known here.",
            code="auth_rejected",
            next_step="Check FAULTBOOK_TOKEN; make one with: faultbook token create.",
        )
    if token.revoked_at is not None:
        raise UnauthenticatedError(
            f"The token {token.id} was revoked.",
            code="auth_rejected",
            next_step="Make another one with: faultbook token create.",
        )
    return token


def _why_not(token: Token) -> FaultbookError | None:
    if token.agent in _OURS:
        return InvalidError(
            f"`{token.agent}` is Faultbook's own name; no token can have it.",
            code="agent_reserved",
            next_step="Give the agent a name of its own: --agent refund-bot.",
            where="--agent",
        )
    if not token.is_person and Scope.APPROVALS_DECIDE in token.scopes:
        return ForbiddenError(
            f"`{Scope.APPROVALS_DECIDE}` is a person's; an agent's token can't have it.",
            code="scope_not_for_agents",
            next_step=f"Make a person's: faultbook token create --person MEMBER-ID"
            f" --scope {Scope.APPROVALS_DECIDE}.",
            where="--scope",
        )
    beyond = sorted(token.scopes - PERSONS_SCOPES) if token.is_person else []
    if beyond:
        return InvalidError(
            f"`{beyond[0]}` is an agent's; a person's token can't have it.",
            code="scope_not_for_people",
            next_step=f"A person's may have: {', '.join(sorted(PERSONS_SCOPES))}.",
            where="--scope",
        )
    return None


def _audited(token: Token) -> dict[str, object]:
    """Give what the audit log keeps of a token; nothing of its secret."""
    whose = {"agent": token.agent} if token.person is None else {"person": token.person}
    return {
        **whose,
        "owner": token.owner,
        "scopes": sorted(token.scopes),
        "workflows": sorted(token.workflows),
    }


def _checksum(body: str) -> str:
    value, found = zlib.crc32(body.encode()), ""
    for _ in range(_CHECKSUM_CHARACTERS):
        value, digit = divmod(value, len(_ALPHABET))
        found = _ALPHABET[digit] + found
    return found
