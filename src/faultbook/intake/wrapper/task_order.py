"""What a worker does with a task: the command, filled in, and what it is told."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from faultbook.base.settings import (
    TASK_ATTEMPT,
    TASK_ID,
    TASK_LEASE,
    TASK_PROGRESS,
    TASK_REQUESTER,
    TASK_TEXT,
)
from faultbook.intake.wrapper.command import CommandLine
from faultbook.intake.wrapper.work import ClaimedTask

_PLACE = re.compile(r"\{(text|task|requester)\}")


@dataclass(frozen=True, slots=True)
class TaskOrder:
    """What is run for a task.

    Attributes:
        command: the program, which is never filled in, and its arguments.
        artifacts: files that it promises to write anew, or patterns; `{task}` is filled in.
        folder: where it runs.
        environ: what it sees beside the task.
        locks: where this host notes which tasks its commands do.
        passed_on: its output goes to ours as well.
    """

    command: tuple[str, ...]
    artifacts: tuple[str, ...]
    folder: Path
    environ: Mapping[str, str]
    locks: Path
    passed_on: bool = False

    def promised(self, task: ClaimedTask) -> list[str]:
        """Name the artifacts of one task."""
        return [artifact.replace("{task}", task.id) for artifact in self.artifacts]

    def line(self, task: ClaimedTask, progress: Path, lock: int | None = None) -> CommandLine:
        """Fill the command in; `progress` is the file whose last line is shown."""
        program, *arguments = self.command
        values = {"text": task.text, "task": task.id, "requester": task.requester}
        clean = {name: _passable(value) for name, value in values.items()}
        told = {
            TASK_ID: task.id,
            TASK_LEASE: task.lease,
            TASK_TEXT: clean["text"],
            TASK_ATTEMPT: str(task.attempt),
            TASK_REQUESTER: clean["requester"],
            TASK_PROGRESS: str(progress),
        }
        return CommandLine(
            [program, *(_filled(argument, clean) for argument in arguments)],
            self.folder,
            {**self.environ, **told},
            task.document(),
            self.passed_on,
            lock,
        )


def _filled(argument: str, values: Mapping[str, str]) -> str:
    filled = _PLACE.sub(lambda place: values[place[1]], argument)
    # What a person wrote must not become an option of the command.
    return f" {filled}" if _PLACE.match(argument) and filled.startswith("-") else filled


def _passable(text: str) -> str:
    """Leave out what an argument can't hold (execve)."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()
