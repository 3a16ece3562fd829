"""Who calls: bearer tokens recognised, scopes and workflows held."""

import re
import time
from collections.abc import Callable

from fastapi import Request

from faultbook.base.errors import UnauthenticatedError
from faultbook.model.token import Scope, Token
from faultbook.operations import tokens
from faultbook.operations.reporting import check_scope
from faultbook.store.engine import Store

_BEARER = re.compile(r"(?i:bearer) +([A-Za-z0-9_\-.~+/]+=*)")  # RFC 6750, 2.1
_KEPT_SECONDS = 2.0
_MOST_KEPT = 10_000


class Callers:
    """Recognises tokens, and remembers them so briefly that a revocation holds within seconds."""

    def __init__(
        self,
        store: Store,
        kept_seconds: float = _KEPT_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._kept_seconds = kept_seconds
        self._monotonic = monotonic
        self._known: dict[str, tuple[Token, float]] = {}

    async def identify(self, request: Request, scope: Scope, *others: Scope) -> Token:
        """Tell whose token came with the request, and that it has the scope, or one of the others.

        Raises:
            UnauthenticatedError: no token, or none of ours.
            ForbiddenError: the token lacks the scope.
        """
        secret = _secret_of(request)
        found = self._known.get(secret)
        if found is None or found[1] < self._monotonic():
            token = await self._store.read_async(tokens.authenticate, secret)
            self._remember(secret, token)
        else:
            token = found[0]
        if token.scopes.isdisjoint((scope, *others)):
            check_scope(token, scope)
        return token

    def _remember(self, secret: str, token: Token) -> None:
        if len(self._known) >= _MOST_KEPT:
            self._known.clear()
        self._known[secret] = (token, self._monotonic() + self._kept_seconds)


def _secret_of(request: Request) -> str:
    given = request.headers.getlist("authorization")
    if not given:
        raise UnauthenticatedError(
            "No token came with the request.",
            next_step="Send Authorization: Bearer <token>; make one with: faultbook token create.",
            where="Authorization",
        )
    match = _BEARER.fullmatch(given[0].strip())
    if match is None or len(given) > 1:
        raise UnauthenticatedError(
            "The Authorization header holds no bearer token.",
            code="auth_rejected",
            next_step="Send it once, as: Authorization: Bearer <token>.",
            where="Authorization",
        )
    return match[1]
