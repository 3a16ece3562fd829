"""What a worker's place may answer, and a crew of workers that does task after task."""

import contextlib
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from faultbook.base.errors import ForbiddenError, InvalidError
from faultbook.intake.wrapper.crew import Crew
from faultbook.intake.wrapper.task_job import TaskJob
from faultbook.intake.wrapper.watch import Found
from faultbook.intake.wrapper.work import ClaimedTask, ClosedTask, WorkSource
from faultbook.model.task import TaskState
from faultbook.operations.tasks import read_events
from tests.intake.wrapper.bench import Bench, is_alive, lose_the_first_close, script
from tests.intake.wrapper.harness import until

# A place that can't be had


class _Passing:
    """A source between the worker and another one."""

    heartbeat_seconds = 30.0
    target = "somewhere"

    def __init__(self, source: WorkSource) -> None:
        self.source = source
        self.closes = 0

    def claim(self, wait: float) -> ClaimedTask | None:
        return self.source.claim(wait)

    def renew(self, task: ClaimedTask) -> None:
        self.source.renew(task)

    def progress(self, task: ClaimedTask, words: str) -> None:
        self.source.progress(task, words)

    def finish(
        self, task: ClaimedTask, end: Mapping[str, Any], files: Mapping[str, Found]
    ) -> ClosedTask:
        self.closes += 1
        return self.source.finish(task, end, files)

    def release(self, task: ClaimedTask) -> None:
        self.source.release(task)

    def close(self) -> None:
        self.source.close()


def test_a_close_whose_answer_is_lost_is_told_again_and_counts_once(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = lose_the_first_close(bench.source, monkeypatch)
    bench.give()
    code = script("head -c 400000 /dev/urandom | base64 > big.txt")
    end = bench.do(*code, artifacts=("big.txt",))
    assert (end.passed, len(asked)) == (True, 2)
    assert [event.kind for event in bench.store.read(read_events, 1)].count("closed") == 1


class _Refusing(_Passing):
    """A source that refuses the first close."""

    def finish(
        self, task: ClaimedTask, end: Mapping[str, Any], files: Mapping[str, Found]
    ) -> ClosedTask:
        if not self.closes:
            self.closes += 1
            raise InvalidError("The document is too large.")
        return super().finish(task, end, files)


def test_an_end_that_is_refused_fails_the_task_in_words(local: Bench) -> None:
    local.give()
    task, order = local.claim(), local.order("true")
    TaskJob(task, _Refusing(local.source), order).run()
    found = local.task()
    assert found.state is TaskState.FAILED
    assert found.detail == "its end was refused: The document is too large."


# The crew


def test_a_crew_does_task_after_task_until_it_is_closed(bench: Bench) -> None:
    for month in ("October", "November", "December"):
        bench.give(f"export {month}")
    said: list[str] = []
    order = bench.order(*script('echo 1 > "$1"', "{task}"), artifacts=("{task}",))
    crew = Crew(bench.source, lambda _: order, said.append, most=2)
    with _working(crew):
        until(lambda: all(bench.task(n).state is TaskState.DONE for n in (1, 2, 3)))
    assert said.count("T-3 done: passed") == 1


def test_a_crew_that_ends_gives_all_its_tasks_back(bench: Bench) -> None:
    for _ in range(2):
        bench.give()
    order = bench.order(*script("echo $$ > $1; sleep 300", "{task}"))
    crew = Crew(bench.source, lambda _: order, lambda _: None, most=2)
    with _working(crew):
        pids = [int(bench.appears(name)) for name in ("T-1", "T-2")]
        crew.end(1)
    assert [bench.task(n).state for n in (1, 2)] == [TaskState.QUEUED] * 2
    assert not any(is_alive(pid) for pid in pids)


def test_a_place_that_refuses_the_worker_ends_the_crew(local: Bench) -> None:
    class _Closed(_Passing):
        def claim(self, wait: float) -> ClaimedTask | None:
            del wait
            raise ForbiddenError("This token may not.")

    refusing = _Closed(local.source)
    with pytest.raises(ForbiddenError):
        Crew(refusing, lambda _: local.order("true"), lambda _: None).run()


@contextlib.contextmanager
def _working(crew: Crew) -> Iterator[None]:
    """Have a crew at work for as long as this is entered."""
    thread = threading.Thread(target=crew.run)
    thread.start()
    try:
        yield
    finally:
        crew.close()
        thread.join(30)
        assert not thread.is_alive()
