"""Answers to event loops: each waiter hears its own, and one that went away hurts nobody."""

import asyncio
import threading

import pytest

from faultbook.base.errors import NotFoundError
from faultbook.store.engine import Store
from faultbook.store.transaction import Transaction


def _echo(tx: Transaction, value: int) -> int:
    del tx
    if value < 0:
        raise NotFoundError("no such value", next_step="ask for another")
    return value


async def test_many_at_once_each_hear_their_own_answer_or_failure(store: Store) -> None:
    values = [*range(200), -1, *range(200, 300)]
    told = await asyncio.gather(
        *(store.write_async(_echo, value) for value in values), return_exceptions=True
    )
    assert [one for one in told if isinstance(one, int)] == list(range(300))
    assert isinstance(told[200], NotFoundError)


async def test_who_went_away_hurts_nobody_else(store: Store) -> None:
    held, entered = threading.Event(), threading.Event()

    def hold(tx: Transaction) -> None:
        del tx
        entered.set()
        held.wait(10)

    first = asyncio.create_task(store.write_async(hold))
    await asyncio.to_thread(entered.wait, 10)
    leaving = asyncio.create_task(store.write_async(_echo, 1))
    staying = asyncio.create_task(store.write_async(_echo, 2))
    await asyncio.sleep(0)
    leaving.cancel()
    held.set()
    assert await staying == 2
    await first
    with pytest.raises(asyncio.CancelledError):
        await leaving


def test_a_loop_that_ended_before_its_answer_leaves_the_store_working(store: Store) -> None:
    held, entered = threading.Event(), threading.Event()

    def hold(tx: Transaction) -> None:
        del tx
        entered.set()
        held.wait(10)

    async def leave() -> None:
        asyncio.get_running_loop().create_task(store.write_async(hold))
        await asyncio.to_thread(entered.wait, 10)

    asyncio.run(leave())
    held.set()
    assert store.write(_echo, 3) == 3
    assert asyncio.run(store.write_async(_echo, 4)) == 4
