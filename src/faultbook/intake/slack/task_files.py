"""Files that a person gave as evidence: read from Slack's own host, hashed, never kept.

Shape of a file: https://docs.slack.dev/reference/objects/file-object. It is read with the bot's
token, so the address is held to Slack's own hosts and no redirect is followed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp
import structlog

from faultbook.base.errors import InvalidError
from faultbook.base.redaction import redact
from faultbook.base.text import cut, one_line
from faultbook.intake.slack.desk import Desk
from faultbook.intake.slack.payloads import Json, text_of
from faultbook.model.artifact_bytes import ArtifactReader
from faultbook.model.evidence import Artifact

_HOST = "files.slack.com"
_SECONDS = 60.0
_CHUNK = 65_536
_OK = 200
_NAME = 200
_HTML = "text/html"

log = structlog.get_logger("slack")


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file as a modal names it.

    Attributes:
        url: where its bytes are; `page` is where people look at it.
        size: in bytes; 0 where Slack does not say.
    """

    name: str
    url: str
    page: str
    media_type: str
    size: int


def read_sent_files(values: Json, name: str, most: int) -> list[SentFile]:
    """Read the files of one input."""
    block = values.get(name)
    elements = block.values() if isinstance(block, dict) else ()
    found: list[SentFile] = []
    for element in elements:
        files = element.get("files") if isinstance(element, dict) else None
        for file in files if isinstance(files, list) else ():
            if isinstance(file, dict):
                found.append(_sent_file(file, len(found) + 1))
    return found[:most]


def _sent_file(file: Json, place: int) -> SentFile:
    size = file.get("size")
    said = one_line(text_of(file, "name") or text_of(file, "title"))
    return SentFile(
        name=cut(redact(said), _NAME) or f"file {place}",
        url=text_of(file, "url_private_download") or text_of(file, "url_private"),
        page=text_of(file, "permalink"),
        media_type=text_of(file, "mimetype"),
        size=size if isinstance(size, int) and not isinstance(size, bool) else 0,
    )


async def read_evidence(desk: Desk, files: Sequence[SentFile]) -> tuple[Artifact, ...]:
    """Read the bytes of files; two of one name are told apart by their place.

    Raises:
        InvalidError: one can't be read; says which and why.
    """
    found: dict[str, Artifact] = {}
    for file in files:
        name = file.name if file.name not in found else f"{file.name} ({len(found) + 1})"
        found[name] = await _read(desk, file, name)
    return tuple(found.values())


async def _read(desk: Desk, file: SentFile, name: str) -> Artifact:
    if not is_slacks_own(file.url, desk.client.base_url):
        raise _unread(file, "it is not kept in Slack", "Upload the file itself.")
    if file.size > desk.file_bytes:
        raise _too_large(file, desk.file_bytes)
    reader = ArtifactReader(name, file.media_type or None, redact(file.page) or None)
    try:
        async with desk.session.get(
            file.url,
            headers={"Authorization": f"Bearer {desk.client.token}"},
            allow_redirects=False,
            proxy=desk.client.proxy,
            timeout=aiohttp.ClientTimeout(total=_SECONDS),
        ) as answer:
            _check(file, answer)
            size = await _feed(reader, answer, file, desk.file_bytes)
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        log.warning("file_not_read", why=type(error).__name__)
        raise _unread(file, "Slack did not send it", "Press Done again.") from error
    if file.size and size != file.size:
        raise _unread(file, f"Slack sent {size:,} of {file.size:,} bytes", "Press Done again.")
    return reader.finish()


def is_slacks_own(url: str, api_url: str) -> bool:
    """Tell whether an address is on Slack's files host, or on the host that the API is on."""
    try:
        asked, api = urlsplit(url), urlsplit(api_url)
        port, api_port = asked.port, api.port
    except ValueError:
        return False
    if asked.username is not None or asked.password is not None:
        return False
    if (asked.scheme, asked.hostname, port) == (api.scheme, api.hostname, api_port):
        return True
    return asked.scheme == "https" and asked.hostname == _HOST and port in (None, 443)


def _check(file: SentFile, answer: aiohttp.ClientResponse) -> None:
    # Who may not read a file is led to a page to sign in.
    is_page = answer.content_type == _HTML and not file.media_type.startswith(_HTML)
    if answer.status != _OK or is_page:
        log.warning("file_refused", status=answer.status)
        words = f"Slack does not let me (status {answer.status})"
        raise _unread(file, words, "Give the app the scope `files:read`, and press Done again.")


async def _feed(
    reader: ArtifactReader, answer: aiohttp.ClientResponse, file: SentFile, most: int
) -> int:
    size = 0
    async for chunk in answer.content.iter_chunked(_CHUNK):
        size += len(chunk)
        if size > most:
            raise _too_large(file, most)
        reader.feed(chunk)
    return size


def _unread(file: SentFile, why: str, next_step: str) -> InvalidError:
    return InvalidError(
        f"I could not read {cut(file.name, 80)}: {why}. Nothing was recorded.",
        code="file_not_read",
        next_step=next_step,
        where="files",
    )


def _too_large(file: SentFile, most: int) -> InvalidError:
    return InvalidError(
        f"{cut(file.name, 80)} is larger than {most:,} bytes. Nothing was recorded.",
        code="file_too_large",
        next_step="Give a smaller file, such as a summary of it.",
        where="files",
    )
