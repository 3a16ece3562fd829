"""The HTTP API as a client sees it: documents out, documents or our own errors back.

Every call may be made again: what it writes is known by an Idempotency-Key, by the digest of the
close, or by the artifact's name. Only Faultbook's own problem documents count as refusals; what a
proxy or another program answers at this address is trouble on the way.
"""

import random
import ssl
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from faultbook.base.errors import (
    ConflictError,
    FaultbookError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    TooLargeError,
    UnauthenticatedError,
    UnavailableError,
)
from faultbook.client.codes import AMBIGUOUS, NOT_SENT

_CONNECT_SECONDS, _TOTAL_SECONDS = 2.0, 5.0
_PAUSE_SECONDS = 0.2
_LATER_SECONDS = 10.0
_TOO_MANY_REQUESTS = 429
_REFUSALS: dict[int, type[FaultbookError]] = {
    401: UnauthenticatedError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    413: TooLargeError,
}


class HttpClient:
    """Reports runs to a Faultbook server, and claims tasks from it.

    Args:
        url: where the server is, `https://faultbook.example`.
        token: the agent's bearer token; None sends none.
        seconds: how long an answer may take; connecting may take 2.
        pauses: how long to wait, in seconds, before each further try where the server can't be had
            at that moment.

    Raises:
        InvalidError: the URL is none.
    """

    def __init__(
        self,
        url: str,
        token: str | None,
        seconds: float = _TOTAL_SECONDS,
        pauses: Sequence[float] = (_PAUSE_SECONDS,),
    ) -> None:
        self.url = url
        self._seconds = seconds
        self._pauses = tuple(pauses)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        address = _checked(url)
        # Reading the list of authorities takes longer than the whole request; without TLS none is
        # asked, and an empty list trusts nobody.
        trusted = True if address.scheme == "https" else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._http = httpx.Client(base_url=address, headers=headers, verify=trusted)

    def start_run(self, document: bytes, key: str) -> dict[str, Any]:
        """Open a run; the same key opens it once."""
        return self._send("POST", "/v1/runs", document, {"Idempotency-Key": f'"{key}"'})

    def record_event(self, run_id: str, document: bytes, key: str) -> dict[str, Any]:
        """Record an event of an open run; the same key records it once."""
        path = f"/v1/runs/{quote(run_id, safe='')}/events"
        return self._send("POST", path, document, {"Idempotency-Key": f'"{key}"'})

    def close_run(self, run_id: str, document: bytes) -> dict[str, Any]:
        """Close a run; the same close again gives the stored result."""
        return self._send("POST", f"/v1/runs/{quote(run_id, safe='')}/close", document)

    def record_run(self, document: bytes, key: str) -> dict[str, Any]:
        """Record a whole run; the same key records it once."""
        return self._send("POST", "/v1/runs:record", document, {"Idempotency-Key": f'"{key}"'})

    def put_artifact(
        self,
        run_id: str,
        name: str,
        content: Iterable[bytes] | Callable[[], Iterable[bytes]],
        media_type: str | None = None,
        sha256: str | None = None,
    ) -> dict[str, Any]:
        """Bring an artifact's bytes, piece by piece.

        This is tried once, but for content that can be had anew by calling it. With `sha256` the
        server holds the bytes against that digest.
        """
        path = f"/v1/runs/{quote(run_id, safe='')}/artifacts/{quote(name, safe='')}"
        path += f"?sha256={sha256}" if sha256 else ""
        headers = {"Content-Type": media_type or "application/octet-stream"}
        if callable(content):
            return self._send("PUT", path, content, headers)
        return self._try("PUT", path, content, headers)

    def add_task(self, document: bytes, key: str) -> dict[str, Any]:
        """Give a task; the same key gives it once."""
        return self._send("POST", "/v1/tasks", document, {"Idempotency-Key": f'"{key}"'})

    def claim_task(self, document: bytes, key: str, wait: float = 0.0) -> dict[str, Any] | None:
        """Claim a task, None where there was nothing to do; the same key claims the same one.

        `wait` is what the document asks the server to wait for one, in seconds.
        """
        headers = {"Idempotency-Key": f'"{key}"'}
        return self._send("POST", "/v1/tasks:claim", document, headers, wait=wait) or None

    def tell_task(
        self, task: str, verb: str, document: bytes = b"{}", key: str | None = None
    ) -> dict[str, Any]:
        """Tell something of a task: `heartbeat`, `progress`, `close`, `release`, `cancel`, `retry`.

        The same key tells it once.

        Raises:
            ConflictError: its state does not allow that any more; says who has it.
        """
        headers = {"Idempotency-Key": f'"{key}"'} if key else None
        return self._send("POST", f"/v1/tasks/{quote(task, safe='')}/{verb}", document, headers)

    def ask_approval(self, document: bytes, key: str) -> dict[str, Any]:
        """Ask for an approval; the same key asks once."""
        return self._send("POST", "/v1/approvals", document, {"Idempotency-Key": f'"{key}"'})

    def read_approval(self, approval: str, wait: float = 0.0) -> dict[str, Any]:
        """Read an approval; with `wait`, once it is decided, or after so many seconds.

        A wait is tried once: who waits looks again.
        """
        path = f"/v1/approvals/{quote(approval, safe='')}"
        if not wait:
            return self._send("GET", path, b"")
        return self._try("GET", f"{path}?wait={wait:.3f}", b"", {}, wait)

    def tell_approval(
        self, approval: str, verb: str, document: bytes, key: str | None = None
    ) -> dict[str, Any]:
        """Tell something of an approval: `execute`, `executed`, `failed`, `cancel`, `approve`, ….

        The same key tells it once.

        Raises:
            ForbiddenError: who tells may not.
            ConflictError: its state does not allow that any more.
        """
        headers = {"Idempotency-Key": f'"{key}"'} if key else None
        path = f"/v1/approvals/{quote(approval, safe='')}/{verb}"
        return self._send("POST", path, document, headers)

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def read_document(
        self, path: str, parameters: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Read a document; what was not said is left out of the parameters."""
        asked = f"{path}?{urlencode(parameters)}" if parameters else path
        return self._send("GET", asked, b"")

    def _send(
        self,
        method: str,
        path: str,
        body: bytes | Callable[[], Iterable[bytes]],
        headers: Mapping[str, str] | None = None,
        *,
        wait: float = 0.0,
    ) -> dict[str, Any]:
        """Send a document, and again after each pause while the server can't be had.

        Raises:
            UnavailableError: it can't be had; `code` tells whether it may have got the document.
            FaultbookError: the server refuses it.
        """
        headers = {"Content-Type": "application/json", **(headers or {})}
        doubtful: UnavailableError | None = None
        for pause in (*self._pauses, None):
            try:
                content = body() if callable(body) else body
                return self._try(method, path, content, headers, wait)
            except UnavailableError as error:
                if error.code == AMBIGUOUS and error.retry_after is None:
                    raise  # it hangs; asking again would only take as long again
                if error.retry_after is not None and error.retry_after > _LATER_SECONDS:
                    raise  # the server said when, and it is not soon
                # An earlier try may have arrived, whatever became of the later ones.
                doubtful = doubtful or (error if error.code == AMBIGUOUS else None)
                if pause is None:
                    raise (doubtful or error) from error
            # Clients that lost a server together do not come back together.
            time.sleep(pause * (0.75 + random.random() / 2))  # noqa: S311 - not a secret
        raise AssertionError("unreachable: the last try returns or raises")

    def _try(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes],
        headers: Mapping[str, str],
        wait: float = 0.0,
    ) -> dict[str, Any]:
        timeout = httpx.Timeout(self._seconds + wait, connect=min(self._seconds, _CONNECT_SECONDS))
        try:
            answer = self._http.request(
                method, path, content=body, headers=headers, timeout=timeout
            )
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise _unavailable(f"does not answer: {error or 'no connection'}", NOT_SENT) from error
        except httpx.HTTPError as error:
            hangs = isinstance(error, httpx.TimeoutException)
            words = f"gave no answer: {type(error).__name__}"
            raise _unavailable(words, AMBIGUOUS, None if hangs else _PAUSE_SECONDS) from error
        return _document_of(answer)


def _checked(url: str) -> httpx.URL:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise _bad_url() from error
    if parsed.scheme not in ("http", "https") or not parsed.host or parsed.userinfo:
        raise _bad_url()
    return parsed


def _bad_url() -> InvalidError:
    return InvalidError(
        "FAULTBOOK_URL is no address of a server.",
        code="bad_url",
        next_step="Write it as https://faultbook.example, without a user or password in it.",
        where="FAULTBOOK_URL",
    )


def _unavailable(words: str, code: str, retry_after: float | None = None) -> UnavailableError:
    return UnavailableError(
        f"The server {words}.",
        code=code,
        next_step="Check FAULTBOOK_URL, and that the server runs.",
        where="FAULTBOOK_URL",
        retry_after=retry_after,
    )


def _document_of(answer: httpx.Response) -> dict[str, Any]:
    if answer.status_code == httpx.codes.NO_CONTENT:
        return {}
    try:
        document = answer.json()
    except ValueError:
        document = None
    if not isinstance(document, dict):
        document = {}
    status = answer.status_code
    if answer.is_success and document:
        return document
    code = document.get("code")
    if status >= httpx.codes.INTERNAL_SERVER_ERROR or status == _TOO_MANY_REQUESTS:
        raise _not_now(answer, document if isinstance(code, str) else {})
    if answer.is_success or not isinstance(code, str):
        raise _unavailable(f"answered {status}, and not as Faultbook does", AMBIGUOUS)
    if code == UnauthenticatedError.code:  # the header's name tells nobody where to write a token
        raise UnauthenticatedError(
            "No token is set, and the server takes nobody without one.",
            next_step="Set FAULTBOOK_TOKEN; where the server runs, `faultbook token create` makes"
            " one.",
            where="FAULTBOOK_TOKEN",
        )
    refusal = _REFUSALS.get(status, InvalidError)
    raise refusal(
        str(document.get("detail") or f"The server answered {status}."),
        code=code,
        next_step=str(document.get("next_step") or ""),
        where=str(document.get("field") or ""),
    )


def _not_now(answer: httpx.Response, document: Mapping[str, Any]) -> UnavailableError:
    """Say what a server that can't, or does not want to now, says itself."""
    if answer.status_code == _TOO_MANY_REQUESTS and document:
        return UnavailableError(
            str(document.get("detail") or "The server was asked too often."),
            code=str(document["code"]),
            next_step=str(document.get("next_step") or ""),
            where=str(document.get("field") or ""),
            retry_after=_seconds_of(answer),
        )
    detail = f": {document['detail']}" if document.get("detail") else ""
    words = f"answered {answer.status_code}{detail}".removesuffix(".")
    return _unavailable(words, AMBIGUOUS, retry_after=_PAUSE_SECONDS)


def _seconds_of(answer: httpx.Response) -> float:
    told = answer.headers.get("retry-after", "")
    return float(told) if told.isascii() and told.isdigit() else _PAUSE_SECONDS
