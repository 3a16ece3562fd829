"""Runs that arrive together are written together, and fail apart."""

import asyncio

import pytest

from faultbook.base.errors import UnavailableError
from faultbook.intake.http.recorder import Recorder
from faultbook.model.run import WholeRun
from faultbook.operations.recording import read_run
from faultbook.store.engine import Store
from tests.builders import whole_run
from tests.conftest import START


async def test_each_is_answered_with_its_own_run(store: Store) -> None:
    recorder = Recorder(store)
    wanted = [whole_run(at=START + n, workflow=f"w{n}") for n in range(40)]
    run_ids = await asyncio.gather(*(recorder.record(run) for run in wanted))
    for run, run_id in zip(wanted, run_ids, strict=True):
        assert store.read(read_run, run_id).start.series == run.start.series


async def test_many_that_wait_share_few_writes(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    groups: list[int] = []
    write = sqlite_store.write_async

    async def count(operation: object, runs: list[WholeRun]) -> list[str]:
        groups.append(len(runs))
        return await write(operation, runs)  # type: ignore[arg-type] # handed on

    monkeypatch.setattr(sqlite_store, "write_async", count)
    recorder = Recorder(sqlite_store)
    runs = [whole_run(at=START + n) for n in range(50)]
    await asyncio.gather(*(recorder.record(run) for run in runs))
    assert sum(groups) == 50
    assert len(groups) <= 2


async def test_one_that_can_not_be_written_harms_no_other(store: Store) -> None:
    recorder = Recorder(store)
    fine = [whole_run(at=START + n) for n in range(4)]
    broken = whole_run(at=2**70)  # no database's integer
    answers = await asyncio.gather(
        *(recorder.record(run) for run in (*fine[:2], broken, *fine[2:])), return_exceptions=True
    )
    assert isinstance(answers[2], Exception)
    assert all(isinstance(answers[n], str) for n in (0, 1, 3, 4))


async def test_a_reporter_that_gives_up_takes_nothing_with_it(sqlite_store: Store) -> None:
    recorder = Recorder(sqlite_store)
    leaving = asyncio.create_task(recorder.record(whole_run(at=START, workflow="leaving")))
    staying = asyncio.create_task(recorder.record(whole_run(at=START, workflow="staying")))
    await asyncio.sleep(0)
    leaving.cancel()
    assert sqlite_store.read(read_run, await staying).start.series.workflow == "staying"


async def test_what_the_store_could_not_answer_is_not_written_again_for_anyone(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    async def lose_the_answer(_operation: object, runs: list[WholeRun]) -> list[str]:
        asked.append(len(runs))
        raise UnavailableError("the connection broke while it was committing")

    monkeypatch.setattr(sqlite_store, "write_async", lose_the_answer)
    recorder = Recorder(sqlite_store)
    runs = [whole_run(at=START + n) for n in range(5)]
    answers = await asyncio.gather(*map(recorder.record, runs), return_exceptions=True)
    assert asked == [5]
    assert all(isinstance(answer, UnavailableError) for answer in answers)
