"""The artifacts a job promises, looked at before its start and read after its end.

Fresh means that the bytes are new: a file that was there before the start and holds the same bytes
is stale, however young its date. A pattern (`out/*.csv`) is kept by any fresh file that matches it;
its newest carries the pattern's name, the others their own.
"""

import contextlib
import errno
import glob
import hashlib
import itertools
import mimetypes
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from faultbook.base.errors import InvalidError
from faultbook.base.redaction import redact
from faultbook.base.text import cut_middle, one_line
from faultbook.model.artifact_bytes import ArtifactReader
from faultbook.model.documents import JUNIT_MEDIA_TYPE
from faultbook.model.evidence import Artifact, Check
from faultbook.model.junit import LARGEST_REPORT, count_tests, is_report
from faultbook.model.verdict import Reason

INLINE_BYTES = 262_144
"""Up to this size an artifact's bytes travel inside the run's document."""

MOST_FILES = 100
"""How many files of one pattern are read; the newest are."""

_MOST_LOOKED_AT = 10_000
_LARGEST_JSON = 50_000_000
_LONGEST_NAME, _LONGEST_PATH = 500, 2_000
_CHUNK = 1 << 20


class JsonCheck(Protocol):
    """What JSON output is held against."""

    def problem(self, data: bytes) -> str | None:
        """Say what does not fit; None when all does."""
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """An artifact as it was found after the job's end.

    Attributes:
        path: where its bytes are; None when they are no evidence.
        content: the bytes, where they are small or a test report.
    """

    artifact: Artifact
    path: str | None = None
    content: bytes | None = None


@dataclass(frozen=True, slots=True)
class _Trace:
    """What a file was before the start; None is what could not be read of it."""

    size: int | None = None
    sha256: str | None = None


class _RefusedError(Exception):
    """What is there is nothing whose bytes can be evidence; says why."""


class Watch:
    """The promised artifacts of one job.

    Args:
        promised: their paths, or patterns.
        schema: what JSON output is held against.
        folder: where relative paths begin; the working directory where it is left out.
    """

    def __init__(
        self,
        promised: Sequence[str],
        schema: JsonCheck | None = None,
        folder: Path | None = None,
    ) -> None:
        self._patterns = _named(promised)
        self._schema = schema
        self._folder = "" if folder is None else str(folder.absolute())
        self._before: dict[str, _Trace] = {}
        self._has_looked = False

    @property
    def promised(self) -> tuple[str, ...]:
        """The names under which the artifacts are promised."""
        return tuple(self._patterns)

    def look(self) -> None:
        """Note what is there before the job starts."""
        for pattern in self._patterns.values():
            for path in _matches(pattern, self._folder):
                with contextlib.suppress(_RefusedError, FileNotFoundError, NotADirectoryError):
                    self._before[path] = _trace(self._place(path))
        self._has_looked = True

    def check(self) -> list[Found]:
        """Read what is there after the job's end; what is missing is not among it.

        Whatever was not looked at before the start can't be told to be fresh.
        """
        paths = {name: _matches(each, self._folder) for name, each in self._patterns.items()}
        all_paths = {path for found in paths.values() for path in found}
        held = {path for path in all_paths if path.lower().endswith(".json")} or all_paths
        found: dict[str, Found] = {}
        for name, matches in paths.items():
            for each in self._check_promise(name, matches, held):
                found.setdefault(each.artifact.name, each)
        return list(found.values())

    def _place(self, path: str) -> str:
        return os.path.join(self._folder, path)  # noqa: PTH118 - an absolute path stays as it is

    def _check_promise(self, name: str, matches: list[str], held: set[str]) -> list[Found]:
        read = [each for path in matches for each in self._read(path, path in held)]
        fresh = [each for each in read if each.artifact.check is not Check.STALE]
        kept = fresh or read[:1]
        return [
            replace(each, artifact=replace(each.artifact, name=name)) if index == 0 else each
            for index, each in enumerate(kept)
        ]

    def _read(self, path: str, is_held: bool) -> Iterator[Found]:  # noqa: FBT001 - of one caller
        """Read one file; gives nothing when it is not there."""
        name, before = _name(path), self._before.get(path)
        try:
            found = self._judge(name, path, is_held)
        except (FileNotFoundError, NotADirectoryError):
            return
        except _RefusedError as refusal:
            yield Found(Artifact(name, Check.UNREACHABLE, detail=f"{name} {refusal}"))
            return
        except OSError as error:
            words = f"{name} can't be read: {error.strerror}"
            yield Found(Artifact(name, Check.UNREACHABLE, detail=words))
            return
        yield self._against(before, found)

    def _against(self, before: _Trace | None, found: Found) -> Found:
        """Hold a file against what it was before the start."""
        artifact, name = found.artifact, found.artifact.name
        if before is not None and before.sha256 == artifact.sha256:
            words = f"{name} was there before the start and is unchanged"
            return Found(replace(artifact, check=Check.STALE, mismatch=None, detail=words))
        is_known = before is None or before.sha256 is not None
        is_other = before is not None and before.size not in (None, artifact.size)
        if artifact.check is not Check.VERIFIED or (self._has_looked and (is_known or is_other)):
            return found
        words = f"{name} could not be read before the start, so nobody can tell whether it is new"
        return Found(replace(artifact, check=Check.UNREACHABLE, mismatch=None, detail=words))

    def _judge(self, name: str, path: str, is_held: bool) -> Found:  # noqa: FBT001 - the same
        media_type = mimetypes.guess_type(path, strict=False)[0]
        place = self._place(path)
        whole = _fitting(path, _LONGEST_PATH)
        reader = ArtifactReader(name, media_type, uri=whole if whole != name else None)
        kept = bytearray()
        keep = _LARGEST_JSON if self._schema and is_held else INLINE_BYTES
        if path.lower().endswith(".xml"):
            keep = max(keep, LARGEST_REPORT)
        for chunk in _chunks(place):
            reader.feed(chunk)
            if len(kept) <= keep:
                kept += chunk
        artifact = reader.finish()
        content = bytes(kept) if len(kept) == artifact.size else None
        if artifact.check is not Check.VERIFIED:
            return Found(artifact)
        if content and is_report(path, None, content):
            return _as_report(artifact, place, content)
        small = content if content is not None and len(content) <= INLINE_BYTES else None
        if self._schema is not None and is_held:
            artifact = self._fit(artifact, content)
        return Found(artifact, place if artifact.check is Check.VERIFIED else None, small)

    def _fit(self, artifact: Artifact, content: bytes | None) -> Artifact:
        if content is None:
            words = f"{artifact.name} is over {_LARGEST_JSON} bytes, too large for its schema"
            return replace(artifact, check=Check.UNREACHABLE, detail=words)
        problem = self._schema.problem(content) if self._schema else None
        if problem is None:
            return artifact
        return _misfit(artifact, f"{artifact.name} {problem}")


def _as_report(artifact: Artifact, path: str, content: bytes) -> Found:
    """Take a JUnit report as one; what claims to be one and can't be read does not fit."""
    try:
        count_tests(content)
    except InvalidError as error:
        return Found(_misfit(artifact, f"{artifact.name}: {error.message}"))
    return Found(replace(artifact, media_type=JUNIT_MEDIA_TYPE), path, content)


def _misfit(artifact: Artifact, words: str) -> Artifact:
    return replace(artifact, check=Check.MISMATCH, mismatch=Reason.SCHEMA_MISMATCH, detail=words)


def _named(promised: Sequence[str]) -> dict[str, str]:
    """Give each promise a name of its own: what differs in its blanks alone is not the same."""
    names: dict[str, str] = {}
    for pattern in dict.fromkeys(promised):
        name, number = _name(pattern), 1
        while name in names:
            number += 1
            name = f"{_fitting(pattern, _LONGEST_NAME - 10)} ({number})"
        names[name] = pattern
    return names


def _name(path: str) -> str:
    """Make a path fit a document's field; it is only a name there."""
    return _fitting(path, _LONGEST_NAME)


def _fitting(path: str, length: int) -> str:
    return cut_middle(one_line(redact(path)), length) or "."


def _matches(pattern: str, folder: str) -> list[str]:
    """Find the files that a promise means, newest first; a name that exists is no pattern."""
    if not glob.has_magic(pattern) or os.path.lexists(Path(folder, pattern)):
        return [pattern]
    every = glob.iglob(pattern, root_dir=folder or None, recursive=True)  # noqa: PTH207 - Path.glob takes no absolute ones
    found = itertools.islice(every, _MOST_LOOKED_AT)
    files = [path for path in found if not Path(folder, path).is_dir()]
    return sorted(files, key=lambda path: _age(Path(folder, path)))[:MOST_FILES]


def _age(path: Path) -> float:
    try:
        return -path.stat().st_mtime
    except OSError:
        return 0.0


def _trace(path: str) -> _Trace:
    """Note a file's bytes.

    Raises:
        FileNotFoundError: there is none.
        _RefusedError: it is no regular file.
    """
    size = None
    try:
        size = Path(path).stat().st_size
        digest = hashlib.sha256()
        for chunk in _chunks(path):
            digest.update(chunk)
    except (FileNotFoundError, NotADirectoryError):
        raise
    except OSError:  # it may be readable afterwards; then its size may still tell
        return _Trace(size)
    return _Trace(size, digest.hexdigest())


def _chunks(path: str) -> Iterator[bytes]:
    """Read a regular file piece by piece; nothing else is opened, since opening alone can act.

    Raises:
        _RefusedError: it is no regular file.
        OSError: it can't be read.
    """
    try:
        _refuse_irregular(os.stat(path).st_mode)  # noqa: PTH116 - the same call as fstat below
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise _RefusedError("is a loop of symbolic links") from error
        raise
    with os.fdopen(fd, "rb", buffering=0) as file:
        _refuse_irregular(os.fstat(fd).st_mode)
        while chunk := file.read(_CHUNK):
            yield chunk


_KINDS = (
    (stat.S_ISDIR, "is a directory; promise a file in it, or a pattern such as `out/*.csv`"),
    (stat.S_ISFIFO, "is a pipe; its bytes can't be read twice"),
    (stat.S_ISSOCK, "is a socket, no file"),
    (stat.S_ISCHR, "is a device, no file"),
    (stat.S_ISBLK, "is a device, no file"),
)


def _refuse_irregular(mode: int) -> None:
    for is_kind, words in _KINDS:
        if is_kind(mode):
            raise _RefusedError(words)
