"""Tokens: made, listed, revoked, and recognised."""

import hashlib
import secrets
import string
import zlib

from faultbook.base.errors import NotFoundError, UnauthenticatedError
from faultbook.model.token import Token
from faultbook.store import tokens
from faultbook.store.transaction import Transaction

_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM_CHARACTERS = 32  # 190 bits
_CHECKSUM_CHARACTERS = 6


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


def create_token(tx: Transaction, token: Token, secret_digest: str) -> None:
    """Store a new token by the digest of its secret."""
    tokens.append(tx, token, secret_digest)


def list_tokens(tx: Transaction) -> list[Token]:
    """List every token."""
    return tokens.list_all(tx)


def revoke_token(tx: Transaction, token_id: str) -> bool:
    """Revoke a token; tells whether it was valid until now.

    Raises:
        NotFoundError: there is no such token.
    """
    if tokens.revoke(tx, token_id):
        return True
    if all(token.id != token_id for token in tokens.list_all(tx)):
        raise NotFoundError(
            f"There is no token `{token_id[:80]}`.",
            code="token_not_found",
            next_step="List them: faultbook token list.",
            where="token",
        )
    return False


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


def _checksum(body: str) -> str:
    value, found = zlib.crc32(body.encode()), ""
    for _ in range(_CHECKSUM_CHARACTERS):
        value, digit = divmod(value, len(_ALPHABET))
        found = _ALPHABET[digit] + found
    return found
