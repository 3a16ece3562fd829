"""Tokens of agents and people, stored as SHA-256; a token itself is shown once, when it is made."""

from typing import Any

from sqlalchemy import Row, insert, select, update

from faultbook.model.token import Token
from faultbook.store.schema import tokens
from faultbook.store.transaction import Transaction


def append(tx: Transaction, token: Token, sha256: str) -> None:
    """Store a new token."""
    values = {
        "id": token.id,
        "sha256": sha256,
        "agent": token.agent,
        "owner": token.owner,
        "scopes": sorted(token.scopes),
        "workflows": sorted(token.workflows),
        "created_at": token.created_at,
        "revoked_at": None,
        "person": token.person,
    }
    tx.execute(insert(tokens), values)


def find_by_digest(tx: Transaction, sha256: str) -> Token | None:
    """Find a token by its digest, revoked ones too."""
    row = tx.execute(select(tokens).where(tokens.c.sha256 == sha256)).one_or_none()
    return None if row is None else _read(row)


def list_all(tx: Transaction) -> list[Token]:
    """List every token in the order they were made."""
    return [_read(row) for row in tx.execute(select(tokens).order_by(tokens.c.created_at))]


def revoke(tx: Transaction, token_id: str) -> bool:
    """Revoke a token; tells whether this call was the one that did."""
    statement = update(tokens).where(tokens.c.id == token_id, tokens.c.revoked_at.is_(None))
    return tx.execute(statement.values(revoked_at=tx.now)).rowcount == 1


def _read(row: Row[Any]) -> Token:
    return Token(
        row.id,
        row.agent,
        row.owner,
        frozenset(row.scopes),
        frozenset(row.workflows),
        row.created_at,
        row.revoked_at,
        row.person,
    )
