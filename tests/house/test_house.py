"""The house stays clean: what linters can't see of the design, held by tests."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import faultbook

SOURCE = Path(faultbook.__file__).parent
MODULES = sorted(
    path for path in SOURCE.rglob("*.py") if "migrations/versions" not in path.as_posix()
)
OURS = [path for path in MODULES if "sandbox" not in path.relative_to(SOURCE).parts]
_ASYNC_FLOORS = {"intake", "delivery", "assembly"}
_LONGEST_MODULE = 450

# Broad handlers belong at the boundaries only; each is here with its reason.
_BROAD_HANDLERS: dict[str, str] = {
    "assembly/commands.py": "a bug in one claim must not end the claiming",
    "cli/main.py": "the last boundary: a bug gets a number, not a traceback",
    "delivery/executor/worker.py": "a bug in one execution must not end the worker",
    "delivery/git/pusher.py": "a bug in one operation must not hold up the queue",
    "delivery/git/worker.py": "a bug must not end the worker",
    "delivery/slack/courier.py": "a bug in one notice must not hold up the queue",
    "delivery/slack/rendering.py": "the person gets an answer, the bug a number",
    "delivery/webhook/worker.py": "a bug must not end the worker",
    "intake/http/batch.py": "a line must not take the others with it",
    "intake/http/health.py": "whatever fails is the answer",
    "intake/http/problems.py": "the last boundary of the HTTP door",
    "intake/http/recorder.py": "a failing member's exception goes to who asked",
    "intake/slack/bolt.py": "Bolt reads odd payloads beyond its own boundary",
    "intake/slack/door.py": "the boundary: the person is told",
    "intake/slack/rereading.py": "one odd message must not end the reading of others",
    "intake/slack/events.py": "the boundary: the person is told, and redelivery would not help",
    "intake/slack/tasks.py": "nobody else would hear of a tracked task's end",
    "intake/wrapper/attempt.py": "trouble with a record, whatever it is, must not stop the job",
    "store/engine.py": "a watcher that fails takes nothing from whoever committed",
    "store/writer.py": "a failing member's exception goes to who asked",
}


def _name(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


@pytest.mark.parametrize("path", OURS, ids=_name)
def test_async_lives_in_the_doors_and_the_assembly(path: Path) -> None:
    floor = path.relative_to(SOURCE).parts[0]
    if floor in _ASYNC_FLOORS or _name(path) == "store/engine.py":
        return  # the store gives the doors their awaitable way in
    tree = ast.parse(path.read_text("utf-8"))
    found = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.AsyncFunctionDef)]
    assert found == []


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_a_module_is_short_and_says_what_it_owns(path: Path) -> None:
    text = path.read_text("utf-8")
    assert ast.get_docstring(ast.parse(text)), "a module says what it owns"
    assert len(text.splitlines()) <= _LONGEST_MODULE


@pytest.mark.parametrize("path", OURS, ids=_name)
def test_the_environment_is_read_in_the_assembly_only(path: Path) -> None:
    if path.relative_to(SOURCE).parts[0] == "assembly" or _name(path) == "client/client.py":
        return  # an agent's program has no other place that reads Faultbook's settings
    tree = ast.parse(path.read_text("utf-8"))
    found = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr in {"environ", "getenv"}
        and isinstance(node.value, ast.Name)
        and node.value.id == "os"
    ]
    assert found == []


@pytest.mark.parametrize("path", OURS, ids=_name)
def test_broad_handlers_stand_at_the_boundaries_only(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    broad = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or (isinstance(node.type, ast.Name) and node.type.id == "Exception"))
    ]
    assert not broad or _name(path) in _BROAD_HANDLERS, broad


def test_every_module_imports_without_network_files_or_environment(tmp_path: Path) -> None:
    names = [
        ".".join(("faultbook", *path.relative_to(SOURCE).with_suffix("").parts))
        for path in MODULES
        if path.name not in {"__main__.py", "env.py"}
    ]
    code = f"""
import importlib, os, socket, sys
def refuse(*args, **kwargs):
    raise AssertionError("an import opened a socket")
socket.socket.connect = refuse
socket.socket.bind = refuse
for name in [name for name in os.environ if name.startswith(("FAULTBOOK", "SLACK"))]:
    del os.environ[name]
for name in {names!r}:
    importlib.import_module(name.removesuffix(".__init__"))
assert os.listdir({str(tmp_path)!r}) == []
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_client_imports_in_little_time_and_without_the_heavy_libraries() -> None:
    code = (
        "import sys, faultbook.client;"
        "print([name for name in ('sqlalchemy', 'pydantic', 'slack_bolt', 'fastapi', 'aiohttp')"
        " if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
