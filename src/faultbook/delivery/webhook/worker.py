"""The deliverer of webhooks: claims owed outcomes, posts them signed, settles or tries again.

An outcome is read from the store at the moment it is sent, and may come twice after a crash: its
delivery id is then the same.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from faultbook.base.clock import seconds
from faultbook.base.errors import FaultbookError, InvalidError, UnavailableError
from faultbook.delivery.errands import Errands
from faultbook.delivery.webhook.body import DELIVERY, SIGNATURE, outcome_body, sign
from faultbook.delivery.webhook.post import NotTakenError, post
from faultbook.model.approval import Approval
from faultbook.model.approval_policy import ApprovalPolicies
from faultbook.model.notice import WEBHOOKS, Notice
from faultbook.model.webhook import WebhookRules, read_webhook
from faultbook.operations.approval_steps import find_approval
from faultbook.store import approvals, notices
from faultbook.store.engine import Store
from faultbook.store.transaction import Transaction

_POLL_SECONDS = 1.0
_AFTER_A_BUG_SECONDS = 5.0
_BACKOFF_SECONDS = (1.0, 5.0, 30.0, 120.0, 600.0, 1800.0, 3600.0)

log = structlog.get_logger("webhooks")


@dataclass(frozen=True, slots=True)
class WebhookLimits:
    """How the deliverer works.

    Attributes:
        at_once: how many are on their way at the same time.
        attempts: after so many an outcome is given up.
        attempt_seconds: how long one attempt may take; less than the lease.
        lease_seconds: how long a claim lasts.
        backoff_seconds: how long to wait after each failed attempt, the last for all that follow.
    """

    at_once: int = 4
    attempts: int = 8
    attempt_seconds: float = 15.0
    lease_seconds: float = 20.0
    backoff_seconds: tuple[float, ...] = _BACKOFF_SECONDS


class WebhookWorker:
    """Posts the outcomes that agents want to be told of; one a process is enough.

    Args:
        store: where notices are.
        policies: the team's, which say where outcomes may go.
        secret: what bodies are signed with.
        limits: what only tests change.
    """

    def __init__(
        self,
        store: Store,
        policies: ApprovalPolicies,
        secret: str,
        limits: WebhookLimits | None = None,
    ) -> None:
        self._store = store
        self._secret = secret
        self._policies = policies
        self._rules = policies.webhooks or WebhookRules()
        self._limits = limits or WebhookLimits()
        self._woken = asyncio.Event()
        self._errands = Errands(store, self._woken)
        self._loop: asyncio.Task[None] | None = None
        self._unwatch: Callable[[], None] = lambda: None

    async def start(self) -> None:
        """Take over what a dead process of this machine had claimed, and begin."""
        await self._errands.take_over()
        tell = asyncio.get_running_loop().call_soon_threadsafe
        ours = notices.topic_of(f"{WEBHOOKS}/")

        def hear(topics: frozenset[str]) -> None:
            if any(topic.startswith(ours) for topic in topics):
                with contextlib.suppress(RuntimeError):  # the loop was closed
                    tell(self._woken.set)

        self._unwatch = self._store.watch(hear)
        self._loop = asyncio.create_task(self._run(), name="webhooks")

    async def stop(self, patience: float = 5.0) -> None:
        """Claim nothing more, and finish what is under way, for so many seconds at most."""
        self._unwatch()
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)
        await self._errands.finish(patience)

    async def _run(self) -> None:
        while True:
            try:
                for notice in await self._claim():
                    self._errands.begin(self._deliver(notice), f"notice {notice.id}")
            except UnavailableError as error:
                log.warning("webhooks_wait", why=error.message)
            except Exception:  # the last boundary: a bug must not end the worker
                log.exception("webhooks_failed")
                await asyncio.sleep(_AFTER_A_BUG_SECONDS)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_POLL_SECONDS):
                    await self._woken.wait()
            self._woken.clear()

    async def _claim(self) -> list[Notice]:
        free = self._limits.at_once - len(self._errands)
        # Looked at without writing first: an idle worker should cost nothing.
        due = await self._store.read_async(notices.next_due, webhooks=True)
        now = self._store.clock()
        if free <= 0 or due is None or due > now:
            return []
        until = now + seconds(self._limits.lease_seconds)
        name = self._errands.name
        return await self._store.write_async(notices.claim, name, until, free, webhooks=True)

    async def _deliver(self, notice: Notice) -> None:
        try:
            async with asyncio.timeout(self._limits.attempt_seconds):
                status = await self._post(notice)
        except NotTakenError as error:
            await self._not_taken(notice, error)
        except TimeoutError:
            await self._not_taken(notice, NotTakenError("took too long"))
        except InvalidError as error:  # the rules were changed since it was asked for
            await self._not_taken(notice, NotTakenError(error.message, permanent=True))
        except FaultbookError as error:
            await self._not_taken(notice, NotTakenError(error.message))
        except Exception as error:  # the last boundary: a bug must not hold up the queue
            log.exception("attempt_failed", notice=notice.id)
            await self._not_taken(notice, NotTakenError(type(error).__name__))
        else:
            await self._store.write_async(notices.settle, notice.id, {"status": status})

    async def _post(self, notice: Notice) -> int:
        number = int(notice.payload["approval"])
        asked, url = await self._store.read_async(_read, number)
        address = read_webhook(url, self._rules)
        body = outcome_body(asked, self._policies)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "faultbook",
            DELIVERY: notice.id,
            SIGNATURE: sign(body, self._secret, self._store.clock()),
        }
        return await post(address, body, headers)

    async def _not_taken(self, notice: Notice, error: NotTakenError) -> None:
        if error.permanent or notice.attempts >= self._limits.attempts:
            log.error("webhook_given_up", notice=notice.id, target=notice.target, why=error.words)
            await self._store.write_async(notices.give_up, notice.id, error.words)
            return
        waits = self._limits.backoff_seconds
        wait = waits[min(notice.attempts, len(waits)) - 1]
        log.warning("webhook_postponed", target=notice.target, why=error.words, seconds=wait)
        until = self._store.clock() + seconds(wait)
        await self._store.write_async(notices.postpone, notice.id, until, error.words)


def _read(tx: Transaction, number: int) -> tuple[Approval, str]:
    return find_approval(tx, number), approvals.find_webhook(tx, number) or ""
