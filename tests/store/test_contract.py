"""The contract both stores keep."""

import threading
from pathlib import Path

import pytest
from sqlalchemy import create_engine, insert, inspect, select

from faultbook.base.errors import InvalidError
from faultbook.model.verdict import Verdict
from faultbook.store import migrate as migrate_module
from faultbook.store import seen
from faultbook.store.engine import Store, open_store, sqlite_url
from faultbook.store.schema import seen as seen_table
from faultbook.store.schema import tokens
from faultbook.store.schema_approvals import metadata
from faultbook.store.transaction import Transaction
from tests.conftest import FrozenClock, PostgresServer


def _keys(tx: Transaction) -> list[str]:
    return sorted(tx.execute(select(seen_table.c.key)).scalars())


def test_what_an_operation_wrote_is_read_back_after_it_returned(store: Store) -> None:
    assert store.write(seen.take, "event:1") is True
    assert store.read(_keys) == ["event:1"]


def test_a_key_is_taken_once(store: Store) -> None:
    assert [store.write(seen.take, "event:1") for _ in range(3)] == [True, False, False]


def test_an_operation_that_fails_leaves_nothing_and_takes_no_neighbour_with_it(
    store: Store,
) -> None:
    def fail(tx: Transaction, key: str) -> None:
        seen.take(tx, key)
        raise ValueError(key)

    futures = [store.submit(fail if n % 2 else seen.take, f"event:{n}") for n in range(20)]
    for number, future in enumerate(futures):
        if number % 2:
            with pytest.raises(ValueError, match=f"event:{number}"):
                future.result()
        else:
            assert future.result() is True
    assert len(store.read(_keys)) == 10


def test_a_broken_constraint_is_the_failure_of_its_own_operation_only(store: Store) -> None:
    def twice(tx: Transaction) -> None:
        for _ in range(2):
            tx.execute(insert(seen_table), {"key": "same", "seen_at": 0})

    broken = store.submit(twice)
    fine = store.submit(seen.take, "fine")
    with pytest.raises(Exception, match=r"(?i)unique"):
        broken.result()
    assert fine.result() is True
    assert store.read(_keys) == ["fine"]


def test_sixteen_threads_take_each_key_exactly_once(store: Store) -> None:
    won: list[str] = []

    def take_all() -> None:
        won.extend(f"{n}" for n in range(25) if store.write(seen.take, f"{n}"))

    threads = [threading.Thread(target=take_all) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won, key=int) == [str(n) for n in range(25)]


def test_a_fresh_schema_equals_all_migrations_applied(
    store: Store, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if store.is_postgresql:
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.new_database().replace("postgresql://", "postgresql+psycopg://")
    else:
        url = sqlite_url(tmp_path)
    fresh = create_engine(url)
    metadata.create_all(fresh)
    migrated, created = inspect(store.engine), inspect(fresh)
    names = set(migrated.get_table_names()) - {"alembic_version"}
    assert names == set(created.get_table_names())
    for name in names:
        for look in ("columns", "indexes", "foreign_keys", "unique_constraints", "pk_constraint"):
            left = getattr(migrated, f"get_{look}")(name)
            right = getattr(created, f"get_{look}")(name)
            assert _comparable(left) == _comparable(right), (name, look)
    fresh.dispose()


def _comparable(described: object) -> object:
    if isinstance(described, list):
        return sorted((_comparable(each) for each in described), key=repr)
    if isinstance(described, dict):
        kept = {k: v for k, v in described.items() if k != "default"}
        return {key: _comparable(value) for key, value in kept.items()}
    return described if isinstance(described, str | int | bool | None) else str(described)


def test_the_newest_migration_is_the_one_that_is_asked_for() -> None:
    folder = Path(migrate_module.__file__).parent / "migrations" / "versions"
    newest = max(path.name[:4] for path in folder.glob("[0-9]*.py"))
    assert newest == migrate_module.HEAD


def test_eight_openers_at_once_migrate_once(empty_url: str, clock: FrozenClock) -> None:
    failures: list[Exception] = []

    def open_it() -> None:
        try:
            open_store(empty_url, clock).close()
        except Exception as error:  # noqa: BLE001 - any failure at all is the finding
            failures.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_a_newer_schema_is_refused_with_what_to_do(store_url: str, clock: FrozenClock) -> None:
    store = open_store(store_url, clock)

    def age(tx: Transaction) -> None:
        tx.connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    store.write(age)
    store.close()
    with pytest.raises(InvalidError, match="schema 9999"):
        open_store(store_url, clock)


@pytest.mark.parametrize("url", ["mysql://x/y", "nonsense", "sqlite://", "sqlite:///:memory:"])
def test_a_database_that_can_not_serve_is_refused_by_name(url: str) -> None:
    with pytest.raises(InvalidError) as caught:
        open_store(url)
    assert caught.value.where == "FAULTBOOK_DATABASE_URL"
    assert "sqlite:///" in caught.value.next_step


def test_verdict_words_are_stored_as_they_are_said() -> None:
    assert {verdict.value for verdict in Verdict} == {
        "passed", "failed", "blocked", "degraded", "skipped", "inconclusive",
    }  # fmt: skip
    assert tokens.c.sha256.nullable is False
