"""Records that nobody could take, kept as files until somebody can.

A file is written whole under another name and renamed, so it is never seen half; whoever delivers
one holds a lock on it, which ends with the process; a record that arrives twice is known by its
key. A record that is refused as wrong goes to `refused/`, where a person can look at it.
"""

import contextlib
import fcntl
import os
import secrets
import stat
import tempfile
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from faultbook.base.errors import FaultbookError, ForbiddenError, UnavailableError
from faultbook.base.settings import Settings
from faultbook.intake.wrapper.record import Record, read_record_file, target_of, write_record
from faultbook.intake.wrapper.recorder import Recorder

if TYPE_CHECKING:
    from faultbook.intake.wrapper.to_store import HouseLike

_REFUSED = "refused"
_PRIVATE_FOLDER, _PRIVATE_FILE = 0o700, 0o600


@dataclass(frozen=True, slots=True)
class SpoolReport:
    """What a delivery came to.

    Attributes:
        refused: records that were refused as wrong, and moved aside.
        kept: whether some wait on, since the place they belong to could not be had.
        words: what was said of those that did not arrive.
    """

    delivered: int = 0
    refused: int = 0
    kept: int = 0
    words: tuple[str, ...] = ()


def spool_folders(home: Path | None) -> list[Path]:
    """Name the folders where records are kept, the best first.

    The second and third serve where the home can't be written: the user's state directory, and a
    folder of this user alone among the temporary files.
    """
    folders = [home / "spool"] if home else []
    with contextlib.suppress(RuntimeError):  # nobody's home is known
        folders.append(Path.home() / ".local" / "state" / "faultbook" / "spool")
    folders.append(Path(tempfile.gettempdir()) / f"faultbook-spool-{os.getuid()}")
    return list(dict.fromkeys(folder.absolute() for folder in folders))


def keep(record: Record, folders: Sequence[Path]) -> Path:
    """Keep a record in the first folder that takes it.

    Raises:
        UnavailableError: none of them does; the record is lost.
    """
    data, name = write_record(record), f"{time.time_ns():020d}-{record.key}.json"
    trouble = ""
    for folder in folders:
        try:
            _make_private(folder)
            return _write_whole(folder / name, data)
        except OSError as error:
            trouble = f"{folder}: {error.strerror or error}"
    raise UnavailableError(
        f"The record of this run is lost: no folder takes it ({trouble}).",
        code="spool_unavailable",
        next_step="Make room, or let FAULTBOOK_HOME name a folder that can be written.",
        where="FAULTBOOK_HOME",
    )


def keep_refused(record: Record, folders: Sequence[Path]) -> Path:
    """Keep a record that was refused as wrong, for a person to look at.

    Raises:
        UnavailableError: no folder takes it; the record is lost.
    """
    return keep(record, [folder / _REFUSED for folder in folders])


def deliver(
    folders: Sequence[Path],
    recorder: Recorder,
    targets: Collection[str],
    most: int | None = None,
) -> SpoolReport:
    """Bring the kept records that belong to a recorder, the oldest first.

    Args:
        folders: where records are kept.
        recorder: takes them.
        targets: the marks of the records that belong there; those without a mark do, too.
        most: how many at most; None for all.
    """
    report = SpoolReport()
    for path in _waiting(folders):
        if most is not None and report.delivered + report.refused >= most:
            break
        with _locked(path) as data:
            if data is None:
                continue
            report = _deliver_one(path, data, recorder, targets, report)
        if report.kept:
            break
    return report


def deliver_spool(house: "HouseLike") -> SpoolReport:
    """Bring the records that are kept on this host for this database or its server into it."""
    # A wrapper that reports to a server keeps records too, and needs nothing of the store.
    from faultbook.intake.wrapper.to_store import StoreRecorder  # noqa: PLC0415

    settings, recorder = house.settings, StoreRecorder(house)
    own = [target_of("server", url) for url in _own_addresses(settings)]
    return deliver(spool_folders(settings.home), recorder, {recorder.target, *own})


def _own_addresses(settings: Settings) -> list[str]:
    port = settings.http.port
    names = dict.fromkeys((settings.http.host, "127.0.0.1", "localhost"))
    public = [settings.http.public_url] if settings.http.public_url else []
    return [*public, *(f"http://{name}:{port}" for name in names)]


def _deliver_one(
    path: Path,
    data: bytes,
    recorder: Recorder,
    targets: Collection[str],
    report: SpoolReport,
) -> SpoolReport:
    done, refused, kept, words = report.delivered, report.refused, report.kept, report.words
    try:
        record = read_record_file(data)
        if not _belongs(record, recorder, targets):
            return report
        recorder.finish(record, {})
    except (UnavailableError, ForbiddenError) as error:  # a server or a token that can be mended
        return SpoolReport(done, refused, kept + 1, (*words, f"{path.name}: {error.message}"))
    except FaultbookError as error:
        _set_aside(path)
        return SpoolReport(done, refused + 1, kept, (*words, f"{path.name}: {error.message}"))
    path.unlink(missing_ok=True)
    return SpoolReport(done + 1, refused, kept, words)


def _belongs(record: Record, recorder: Recorder, targets: Collection[str]) -> bool:
    if record.target is None or record.target == recorder.target:
        return True
    # Whether a start arrived at a server is known by the key it was sent with, and there only.
    return record.target in targets and not record.maybe_started


def _set_aside(path: Path) -> None:
    folder = path.parent / _REFUSED
    with contextlib.suppress(OSError):
        folder.mkdir(mode=_PRIVATE_FOLDER, exist_ok=True)
        path.rename(folder / path.name)


def _waiting(folders: Sequence[Path]) -> list[Path]:
    found: list[Path] = []
    for folder in folders:
        with contextlib.suppress(OSError):
            if _is_private(folder):
                found += [path for path in folder.iterdir() if path.suffix == ".json"]
    return sorted(found, key=lambda path: path.name)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[bytes | None]:
    """Hold a file and give what is in it; None when another holds it, or has delivered it."""
    try:
        file = path.open("rb")
    except OSError:
        yield None
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_there = path.stat().st_ino == os.fstat(file.fileno()).st_ino
        except OSError:
            is_there = False
        yield file.read() if is_there else None


def _make_private(folder: Path) -> None:
    folder.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
    if not _is_private(folder):
        raise OSError(None, "it belongs to somebody else, or others may write to it")


def _is_private(folder: Path) -> bool:
    """Tell whether nobody else can put files here: what is read back is recorded as ours."""
    seen = folder.lstat()
    others_write = seen.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return stat.S_ISDIR(seen.st_mode) and seen.st_uid == os.getuid() and not others_write


def _write_whole(path: Path, data: bytes) -> Path:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _PRIVATE_FILE)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(fd)
        draft.rename(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(folder)  # the new name itself
    finally:
        os.close(folder)
    return path
