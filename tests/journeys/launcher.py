"""Starts the real bot, and kills it at one point: `python -m tests.journeys.launcher POINT`.

The product has no such points. Here a function of it is wrapped, before the bot is made, by one
that ends the process with SIGKILL the first time its moment has come.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable

from faultbook.assembly.bot import BotOptions, start_bot
from faultbook.assembly.house import open_house, read_settings
from faultbook.assembly.logs import configure_logs
from faultbook.delivery.slack.post import Post
from faultbook.delivery.slack.reactions import Reactions
from faultbook.intake.slack.desk import Desk
from faultbook.operations.questions import accept
from faultbook.operations.tasks import take_task
from faultbook.store.engine import Store


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _after(owner: type, name: str) -> None:
    """Die once the method's work is done, before its caller hears of it."""
    method = getattr(owner, name)

    async def wrapped(*args: object, **kwargs: object) -> object:
        result = await method(*args, **kwargs)
        _die()
        return result

    setattr(owner, name, wrapped)


def _before(owner: type, name: str) -> None:
    """Die when the method is called, before it does anything."""

    async def wrapped(*_: object, **__: object) -> None:
        _die()

    setattr(owner, name, wrapped)


def _at_commit(*, committed: bool) -> None:
    """Die as a delivery is recorded, or once it is and nobody heard of it."""
    write: Callable[..., Awaitable[object]] = Store.write_async

    async def wrapped(self: Store, operation: Callable[..., object], *args: object) -> object:
        takes = operation in (accept, take_task)
        if takes and not committed:
            _die()
        result = await write(self, operation, *args)
        if takes:
            _die()
        return result

    setattr(Store, "write_async", wrapped)  # noqa: B010 - the point is to replace a method


POINTS: dict[str, Callable[[], None]] = {
    "": lambda: None,
    "before_commit": lambda: _at_commit(committed=False),
    "as_committed": lambda: _at_commit(committed=True),
    "between_commit_and_ack": lambda: _after(Desk, "accept"),
    "between_ack_and_answer": lambda: _before(Post, "send"),
    "between_answer_and_receipt": lambda: _after(Post, "send"),
    "before_the_reaction": lambda: _before(Reactions, "add"),
    "after_the_reaction": lambda: _after(Reactions, "add"),
    "after_a_repaint": lambda: _after(Post, "change"),
}


async def main(point: str) -> None:
    configure_logs(verbose=False)
    POINTS[point]()
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    house = open_house(read_settings())
    try:
        bot = await start_bot(house, BotOptions(channel_seconds=0.0))
        print(json.dumps({"pid": os.getpid(), "status": bot.status().words}), flush=True)
        await stopping.wait()
        await bot.stop()
    finally:
        house.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
