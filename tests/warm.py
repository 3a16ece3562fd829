"""Processes of ours that need no half second of imports before they begin.

`python -m faultbook …` is started hundreds of times by the suite, and would spend most of its time
on reading the same modules. Here Python's own fork server (`multiprocessing`) reads them once; a
command is then a fork of it: a process of its own with its own environment, folder, streams and
session, which may be killed like any other. What a fork could not show as it is (another
interpreter's options, a function to run before) starts cold as ever, and so does everything with
`pytest --cold`.
"""

import atexit
import inspect
import multiprocessing
import os
import re
import runpy
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import TextIOWrapper
from multiprocessing import reduction
from pathlib import Path
from typing import Any

_OURS = re.compile(r"(?:faultbook|tests)(?:\.\w+)*")
_PYTHONS_OWN = {"PYTHONPATH", "PYTHONUTF8", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}
_COLD_OPTIONS = ("preexec_fn", "pass_fds", "shell", "executable", "gid", "gids", "uid")
_FIRST_FREE, _LAST = 3, 1024
_FLUSH_FAILED = 120  # as the interpreter says it

ColdPopen: Any = subprocess.Popen
"""Starts every process anew."""
_parameters = inspect.signature(ColdPopen._execute_child)


@dataclass(frozen=True)
class _Command:
    """What a process is to become."""

    module: str
    arguments: Sequence[str]
    environ: Mapping[str, str]
    folder: str
    new_session: bool


class _Handed:
    """A file descriptor that goes along to the fork."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def __reduce__(self) -> tuple[Any, ...]:
        return _detached, (reduction.DupFd(self.fd),)


def _detached(handed: Any) -> int:  # noqa: ANN401 - of a class that multiprocessing hides
    return int(handed.detach())


class WarmPopen(ColdPopen):  # type: ignore[misc]
    """A `Popen` whose process is forked where it runs a module of ours."""

    _forked: "multiprocessing.process.BaseProcess | None" = None

    def _execute_child(self, *given: Any) -> None:  # noqa: ANN401 - subprocess's own
        told = _parameters.bind(self, *given).arguments
        command = _read(told)
        if command is None:
            super()._execute_child(*given)
            return
        streams = [
            _Handed(told[piped] if told[piped] != -1 else own)
            for own, piped in enumerate(("p2cread", "c2pwrite", "errwrite"))
        ]
        context = multiprocessing.get_context("forkserver")
        self._forked = context.Process(target=_become, args=(command, streams), daemon=True)
        self._forked.start()
        assert self._forked.pid is not None
        self.pid = self._forked.pid
        self._child_created = True
        pipes = ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")
        self._close_pipe_fds(*(told[name] for name in pipes))

    def _try_wait(self, wait_flags: int) -> tuple[int, int]:
        if self._forked is None:
            told: tuple[int, int] = super()._try_wait(wait_flags)
            return told
        self._forked.join(0 if wait_flags & os.WNOHANG else None)
        code = self._forked.exitcode
        if code is None:
            return 0, 0
        return self.pid, -code if code < 0 else code << 8

    def _internal_poll(self, *given: Any, **more: Any) -> int | None:  # noqa: ANN401 - the same
        if self._forked is None:
            found: int | None = super()._internal_poll(*given, **more)
            return found
        if self.returncode is None:
            self.returncode: int | None = self._forked.exitcode
        return self.returncode


def begin() -> None:
    """Have every module of ours forked from now on."""
    multiprocessing.get_context("forkserver").set_forkserver_preload(["tests.warmed"])
    subprocess.Popen = WarmPopen  # type: ignore[misc]


def _read(told: Mapping[str, Any]) -> _Command | None:
    """Read what is to run; None where it is not ours, or a fork would not be the same."""
    argv, environ = list(told["args"]), told["env"]
    environ = dict(os.environ if environ is None else environ)
    if argv[:2] != [sys.executable, "-m"] or not _OURS.fullmatch(argv[2]):
        return None
    if any(told.get(name) for name in _COLD_OPTIONS) or told.get("process_group", -1) != -1:
        return None
    strange = {name for name in environ if name.startswith("PYTHON")} - _PYTHONS_OWN
    if strange or environ.get("PYTHONUTF8") == "0" or told.get("umask", -1) != -1:
        return None
    folder = Path(told["cwd"] or ".").absolute()
    if not folder.is_dir():
        return None
    arguments = [os.fspath(one) for one in argv[3:]]
    return _Command(argv[2], arguments, environ, str(folder), bool(told["start_new_session"]))


def _become(command: _Command, streams: Sequence[int]) -> None:
    """Turn the fork into the command; never returns."""
    for own, handed in enumerate(streams):
        os.dup2(handed, own)
    os.closerange(_FIRST_FREE, _LAST)
    if command.new_session:
        os.setsid()
    os.chdir(command.folder)
    os.environ.clear()
    os.environ.update(command.environ)
    paths = command.environ.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:] = [command.folder, *filter(None, paths), *sys.path]
    sys.argv = ["-m", *command.arguments]
    _open_streams()
    os._exit(_run(command.module))


def _open_streams() -> None:
    for name, fd, mode in (("stdin", 0, "r"), ("stdout", 1, "w"), ("stderr", 2, "w")):
        errors = "backslashreplace" if name == "stderr" else "strict"
        buffered = open(fd, f"{mode}b", closefd=False)  # noqa: SIM115 - open to the very end
        stream = TextIOWrapper(
            buffered, "utf-8", errors, line_buffering=name == "stderr" or os.isatty(fd)
        )
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def _run(module: str) -> int:
    """Run a module as the interpreter would, to the code that it would end with."""
    code = 0
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except KeyboardInterrupt:
        traceback.print_exc()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    except BaseException:  # noqa: BLE001 - the interpreter's own last resort
        traceback.print_exc()
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        code = code or _FLUSH_FAILED
    return code & 0xFF
