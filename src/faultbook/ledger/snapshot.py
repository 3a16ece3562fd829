"""The ledger as it is at one commit: what doors search, show and check a new rule against."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import PurePosixPath

from faultbook.ledger.incident_file import IncidentFile, read_incident
from faultbook.ledger.rows import LEDGER_NAME
from faultbook.ledger.search import LessonIndex
from faultbook.ledger.table import read_ledger
from faultbook.ledger.template import TEMPLATE_PATH
from faultbook.model.lesson import Lesson

TEMPLATE = TEMPLATE_PATH
"""A team's own template, from the root of its repository; without it ours is used."""


@lru_cache(maxsize=4096)  # from one state to the next nearly all of them stay
def _read(data: bytes, path: str) -> IncidentFile:
    return read_incident(data, path)


@dataclass(frozen=True)
class LedgerSnapshot:
    """One state of the ledger; what is asked of it is read from its files once.

    Attributes:
        commit: the head; None before the first fetch, or where the branch is not there yet.
        files: its markdown files, by their paths from the repository's root.
        template: for new incident files, and the words that are no rule.
        folder: the ledger's.
    """

    commit: str | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)
    template: str = ""
    folder: str = "lessons"

    @property
    def ledger_path(self) -> str:
        """Give the path of the ledger's file."""
        return f"{self.folder}/{LEDGER_NAME}"

    @cached_property
    def incidents(self) -> Mapping[str, IncidentFile]:
        """Give the incident files by their paths; what can't be read is for lint to tell."""
        inside = f"{self.folder}/incidents/"
        paths = sorted(path for path in self.files if path.startswith(inside))
        return {path: _read(self.files[path], path) for path in paths}

    @cached_property
    def lessons(self) -> tuple[Lesson, ...]:
        """Give the rows of the ledger; a row without an area has that of its incident."""
        data = self.files.get(self.ledger_path)
        rows = () if data is None else read_ledger(data).lessons
        return tuple(self._with_area(lesson) for lesson in rows)

    @cached_property
    def index(self) -> LessonIndex:
        """Give an index to search the lessons with."""
        return LessonIndex.build(self.lessons)

    def lesson(self, number: int) -> Lesson | None:
        """Find a lesson by its number."""
        return next((lesson for lesson in self.lessons if lesson.number == number), None)

    def _with_area(self, lesson: Lesson) -> Lesson:
        if lesson.area or not lesson.incident:
            return lesson
        linked = self.incidents.get(str(PurePosixPath(self.folder) / lesson.incident))
        area = linked.fields.area if linked else None
        return replace(lesson, area=area) if area else lesson


@dataclass(frozen=True, slots=True)
class LedgerAccess:
    """What a door is handed of a ledger in git that is kept up to date elsewhere.

    Attributes:
        snapshot: gives the newest state; cheap to call.
        wake: says that an operation was owed.
        channel: where to say what has no place of its own; empty when none is set.
        web_url: `https://host/team/repo/blob/main/{path}`; None when none is set.
        remote: where it is, without any password, to be told to people.
    """

    snapshot: Callable[[], LedgerSnapshot]
    wake: Callable[[], None]
    channel: str = ""
    web_url: str | None = None
    remote: str = ""

    def link(self, path: str) -> str | None:
        """Give the address at which people read a file; None where none is set."""
        return self.web_url.replace("{path}", path) if self.web_url else None
