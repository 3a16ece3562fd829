"""Recording by the HTTP API of a server."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from faultbook.base.errors import InvalidError, NotFoundError, TooLargeError
from faultbook.client.http import HttpClient
from faultbook.intake.wrapper.record import Record, target_of
from faultbook.intake.wrapper.recorder import Receipt
from faultbook.intake.wrapper.watch import Found

_CHUNK = 1 << 20
_TIMES = frozenset({"started_at", "ended_at"})


class ServerRecorder:
    """Takes records to a server.

    Args:
        url: where it is.
        client: how it is asked.
        upload_limit: above this size, in bytes, an artifact is not sent; the server then believes
            this host's own check, with a token that may attest.
    """

    def __init__(self, url: str, client: HttpClient, upload_limit: int) -> None:
        self._url = url
        self._client = client
        self._limit = upload_limit

    @property
    def place(self) -> str:
        """The server's address."""
        return self._url

    @property
    def target(self) -> str:
        """The mark of records that belong to this server."""
        return target_of("server", self._url)

    def start(self, record: Record) -> str:
        """Open the record's run, and give its id."""
        try:
            answer = self._client.start_run(record.start_body(), record.start_key)
        except InvalidError as error:
            return self.start(_untimed(record, error))
        return _text(answer, "run_id")

    def finish(self, record: Record, files: Mapping[str, Found]) -> Receipt:
        """Bring the artifacts that travel by themselves, then close the run, or record it whole."""
        inline = record.inline_names()
        loads = {
            name: found
            for name, found in files.items()
            if name not in inline and _travels(found, self._limit)
        }
        run_id = record.run_id
        if run_id is None and (record.maybe_started or loads):
            run_id = self.start(record)
        if run_id is not None:
            try:
                return self._close_run(
                    run_id, record.without(bring(self._client, run_id, loads, self._limit))
                )
            except NotFoundError:  # the server has another database by now
                pass
        return _receipt(self._client.record_run(record.whole_body(), record.key))

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()

    def _close_run(self, run_id: str, record: Record) -> Receipt:
        try:
            return _receipt(self._client.close_run(run_id, record.close_body()))
        except InvalidError as error:
            return self._close_run(run_id, _untimed(record, error))


def bring(
    client: HttpClient, run_id: str, loads: Mapping[str, Found], limit: int
) -> frozenset[str]:
    """Upload bytes to a run that is open; tells the names of what the server has read by itself.

    Above `limit` bytes nothing is sent.
    """
    brought = []
    for name, found in loads.items():
        if not _travels(found, limit):
            continue
        try:
            content, artifact = _chunks(str(found.path)), found.artifact
            # What was held against its schema and its past is what counts, not what a process that
            # the job left behind has made of it meanwhile.
            client.put_artifact(run_id, name, content, artifact.media_type, artifact.sha256)
        except (TooLargeError, OSError):  # the server's limit is lower; the file is gone by now
            continue
        brought.append(name)
    return frozenset(brought)


def _travels(found: Found, limit: int) -> bool:
    return found.path is not None and (found.artifact.size or 0) <= limit


def _untimed(record: Record, error: InvalidError) -> Record:
    """Leave the times out where this host's clock is ahead of the server's: what is sent is now.

    Raises:
        InvalidError: that is not what the server refused.
    """
    run = {name: value for name, value in record.run.items() if name not in _TIMES}
    if error.code != "bad_time" or len(run) == len(record.run):
        raise error
    return replace(record, key=f"{record.key}-untimed", run=run)


def _receipt(answer: Mapping[str, Any]) -> Receipt:
    return Receipt(
        _text(answer, "run_id"),
        _text(answer, "verdict"),
        answer.get("reason"),
        str(answer.get("failure_reason") or ""),
    )


def _text(answer: Mapping[str, Any], field: str) -> str:
    return str(answer.get(field) or "unknown")


def _chunks(path: str) -> Iterator[bytes]:
    with Path(path).open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk
