"""Records that waited are delivered: each once, to whom it is for, whatever else lies there."""

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from faultbook.base.clock import iso
from faultbook.base.errors import UnavailableError
from faultbook.base.settings import HttpSettings, Settings
from faultbook.intake.wrapper.record import Record, target_of, write_record
from faultbook.intake.wrapper.recorder import Receipt
from faultbook.intake.wrapper.spool import SpoolReport, deliver, deliver_spool, keep, spool_folders
from faultbook.intake.wrapper.to_store import StoreRecorder
from faultbook.intake.wrapper.watch import Found
from faultbook.model.answer import FailingQuery
from faultbook.model.policy import Policy
from faultbook.model.verdict import FailureClass, Reason, Verdict
from faultbook.operations.failing import ask_failing
from faultbook.store.engine import Store
from tests.intake.wrapper.harness import all_runs

RUN = {
    "workflow": "job",
    "started_at": "2026-11-18T11:00:00Z",
    "ended_at": "2026-11-18T11:00:10Z",
    "exit_code": 3,
}


@dataclass(frozen=True)
class House:
    """As little of a house as a delivery needs."""

    settings: Settings
    policy: Policy
    store: Store


def _house(store: Store, home: Path, **http: object) -> House:
    return House(Settings(home=home, http=HttpSettings.model_validate(http)), Policy(), store)


def test_a_folder_of_somebody_else_is_not_trusted(tmp_path: Path, sqlite_store: Store) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(UnavailableError, match="The record of this run is lost"):
        keep(Record("k", RUN), [folder])
    (folder / "1-k.json").write_bytes(write_record(Record("k", RUN)))
    recorder = StoreRecorder(_house(sqlite_store, tmp_path))
    assert deliver([folder], recorder, []) == SpoolReport()


def test_the_bot_takes_what_is_for_its_database_its_address_or_anybody(
    sqlite_store: Store, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    house = _house(sqlite_store, home, port=8123, public_url="https://faultbook.example")
    own = StoreRecorder(house).target
    targets = [own, None, target_of("server", "http://127.0.0.1:8123"),
               target_of("server", "https://faultbook.example/"),
               target_of("server", "https://another.example")]  # fmt: skip
    for number, target in enumerate(targets):
        keep(
            Record(f"key-{number}", {**RUN, "workflow": f"job-{number}"}, target), [home / "spool"]
        )
    report = deliver_spool(house)
    assert (report.delivered, report.refused, report.kept) == (4, 0, 0)
    names = [run.start.series.workflow for run in all_runs(sqlite_store)]
    assert names == ["job-0", "job-1", "job-2", "job-3"]
    assert len(list((home / "spool").glob("*.json"))) == 1


def test_a_record_that_comes_again_is_the_same_run(store: Store, tmp_path: Path) -> None:
    """Delivered, and killed before the file was gone."""
    house, spool = _house(store, tmp_path), tmp_path / "spool"
    for _ in range(3):
        keep(Record("key", RUN), [spool])
        assert deliver_spool(house).delivered == 1
    [run] = all_runs(store)
    assert run.findings[0].reason is Reason.NONZERO_EXIT


def test_a_run_that_was_opened_is_closed_once(store: Store, tmp_path: Path) -> None:
    house, spool = _house(store, tmp_path), tmp_path / "spool"
    recorder = StoreRecorder(house)
    record = Record("key", RUN, recorder.target, maybe_started=True)
    run_id = recorder.start(record)
    for known in (None, run_id, run_id):
        keep(Record("key", RUN, recorder.target, known, maybe_started=known is None), [spool])
        assert deliver_spool(house).delivered == 1
    [run] = all_runs(store)
    assert (run.run_id, run.verdict) == (run_id, Verdict.FAILED)


def test_a_run_that_is_not_there_any_longer_is_recorded_whole(
    sqlite_store: Store, tmp_path: Path
) -> None:
    house = _house(sqlite_store, tmp_path)
    missing = "01a1f80d-f938-7439-b52d-fb9707b88cec"
    keep(Record("key", RUN, None, missing), [tmp_path / "spool"])
    assert deliver_spool(house).delivered == 1
    [run] = all_runs(sqlite_store)
    assert run.run_id != missing


def test_eight_deliverers_at_once_bring_each_record_once(
    sqlite_store: Store, tmp_path: Path
) -> None:
    house, spool = _house(sqlite_store, tmp_path), tmp_path / "spool"
    for number in range(40):
        keep(Record(f"key-{number}", {**RUN, "workflow": f"job-{number}"}), [spool])
    reports: list[SpoolReport] = []
    threads = [
        threading.Thread(target=lambda: reports.append(deliver_spool(house))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(report.delivered for report in reports) == 40
    assert len({run.start.series for run in all_runs(sqlite_store)}) == 40
    assert len(all_runs(sqlite_store)) == 40
    assert not list(spool.glob("*.json"))


def test_a_late_record_enters_history_and_leaves_the_newer_standing(
    sqlite_store: Store, tmp_path: Path
) -> None:
    house, spool = _house(sqlite_store, tmp_path), tmp_path / "spool"
    later = {**RUN, "started_at": "2026-11-18T11:05:00Z", "ended_at": "2026-11-18T11:05:10Z"}
    for key, run in (("new", {**later, "exit_code": 75}), ("old", RUN)):
        keep(Record(key, run), [spool])
        deliver_spool(house)
    assert [run.exit_code for run in all_runs(sqlite_store)] == [75, 3]
    [series] = ask_failing(sqlite_store, FailingQuery(), Policy()).series
    assert (series.failure_class, series.streak) == (FailureClass.TRANSIENT, 2)
    assert series.first_bad is not None
    assert iso(series.first_bad.started_at) == RUN["started_at"]


@pytest.mark.parametrize(
    "content",
    [b"", b"not JSON", b"[]", b'{"format": 2}', b'{"format": 1, "run": {}}', b"\xff" * 10,
     write_record(Record("k", {"workflow": "job"})),
     write_record(Record("k", {**RUN, "exit_code": -1})),
     write_record(Record("k", {**RUN, "started_at": "yesterday"}))],
)  # fmt: skip
def test_a_file_that_is_no_record_is_put_aside_and_holds_nobody_up(
    content: bytes, sqlite_store: Store, tmp_path: Path
) -> None:
    house, spool = _house(sqlite_store, tmp_path), tmp_path / "spool"
    keep(Record("good", RUN), [spool])
    (spool / "0-bad.json").write_bytes(content)
    report = deliver_spool(house)
    assert (report.delivered, report.refused) == (1, 1)
    assert report.words[0].startswith("0-bad.json: ")
    assert [path.name for path in (spool / "refused").iterdir()] == ["0-bad.json"]


class _Away:
    place, target = "nowhere", "server:away"

    def __init__(self) -> None:
        self.asked = 0

    def start(self, record: Record) -> str:
        raise AssertionError(record)

    def finish(self, record: Record, files: Mapping[str, Found]) -> Receipt:
        del record, files
        self.asked += 1
        raise UnavailableError("It is away.")

    def close(self) -> None:
        """Hold nothing."""


def test_a_place_that_can_not_be_had_is_asked_once_and_all_is_kept(tmp_path: Path) -> None:
    for number in range(3):
        keep(Record(f"key-{number}", RUN), [tmp_path / "spool"])
    away = _Away()
    report = deliver([tmp_path / "spool"], away, [])
    assert (away.asked, report.kept, report.delivered) == (1, 1, 0)
    assert len(list((tmp_path / "spool").glob("*.json"))) == 3


def test_the_folders_are_the_homes_the_users_and_the_temporary_one(tmp_path: Path) -> None:
    folders = spool_folders(tmp_path)
    assert folders[0] == tmp_path / "spool"
    assert folders[1].parts[-2:] == ("faultbook", "spool")
    assert folders[2].name == f"faultbook-spool-{os.getuid()}"
    assert spool_folders(None) == folders[1:]
