"""Waiting operations, taken to the remote in their order: a commit each, several to a push.

Operations are applied to the newest head that is known, and pushed as compare-and-swap: a push that
is outrun changed nothing, and its operations are applied anew to the head that won. What an
operation may have done in an earlier life (a crash, a lost reply) is looked for in the history
first, by its trailer.
"""

import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog

from faultbook.base.clock import seconds
from faultbook.base.errors import FaultbookError, InvalidError, UnavailableError
from faultbook.base.ids import new_id, short_id
from faultbook.delivery.git.clone import LedgerClone
from faultbook.ledger.git import GitError
from faultbook.ledger.history import Landed, find_operations
from faultbook.ledger.replay import Change, Ground, TextConflictError, apply, message_of
from faultbook.ledger.repository import BRANCHES, Push
from faultbook.model.ledger_operation import LedgerOperation, LedgerVerb
from faultbook.operations.ledger import (
    describe_conflict,
    postpone,
    settle_all_pushed,
    settle_conflict,
    settle_on_branch,
    settle_pushed,
    settle_refused,
)
from faultbook.store import ledger
from faultbook.store.engine import Store

_STUCK_AFTER = 5
_LONGEST_ASIDE = 2.0
_BUILD_SECONDS = 2.0
_NUMBERED = frozenset({LedgerVerb.ADD_LESSON, LedgerVerb.OPEN_INCIDENT})
# The file is the trouble then, not the operation: it waits until a person has mended that.
_BROKEN_GROUND = frozenset({"ledger_missing", "ledger_ambiguous"})

log = structlog.get_logger("ledger")


@dataclass(frozen=True, slots=True)
class _Link:
    """One operation of a chain of commits."""

    operation: LedgerOperation
    change: Change
    commit: str

    @property
    def result(self) -> dict[str, object]:
        told = {"commit": self.commit, "number": self.change.number, "path": self.change.path}
        return {name: value for name, value in told.items() if value is not None}


@dataclass(frozen=True, slots=True)
class _Chain:
    """Commits upon the head, and why the next operation is not among them."""

    links: Sequence[_Link]
    ground: Ground
    stopped_by: FaultbookError | Change | None = None


class Pusher:
    """Takes operations to the remote; plain functions, for a thread of their own."""

    def __init__(self, store: Store, clone: LedgerClone, claimer: str) -> None:
        self._store = store
        self._clone = clone
        self._options = clone.options
        self._repository = clone.repository
        self._claimer = claimer
        self._size = clone.options.batch  # shorter while others push, too
        self._races = 0
        self._stuck = 0  # races that nobody has won
        self.stopping = threading.Event()

    def push_waiting(self) -> bool:
        """Claim the oldest operations and work on them; tells whether there were any."""
        options = self._options
        with self._repository.lock():
            until = self._store.clock() + seconds(options.lease_seconds)
            claimed = self._store.write(ledger.claim, self._claimer, until, options.batch)
            if not claimed:
                return False
            rest = list(claimed)
            try:
                self._work(rest)
            except (UnavailableError, GitError) as error:
                self._observe()  # first, since a head that was fetched says that all is well
                self._postpone(rest, self._explained(error))
            else:
                for operation in rest:
                    self._store.write(ledger.unclaim, operation.id)
                self._observe()
        return True

    def _observe(self) -> None:
        try:
            self._clone.observe()
        except GitError as error:  # what has come to the head is told at the next fetch
            self._clone.heal(error)
            log.warning("ledger_not_observed", why=error.words)

    def _work(self, rest: list[LedgerOperation]) -> None:
        """Work until nothing is left or the claim ends; takes what is done out of `rest`."""
        ends = time.monotonic() + self._options.lease_seconds / 2
        tried = [operation for operation in rest if operation.attempts > 1]
        fresh = bool(tried) or not self._clone.known
        if fresh:
            self._clone.fetch()
            self._recognise(rest, tried)
        while rest and not self.stopping.is_set() and time.monotonic() < ends:
            chain = self._build(rest[: self._size])
            if not chain.links and not fresh:
                # Said of the newest head only, or of one that was just pushed.
                self._clone.fetch()
                fresh = True
            elif isinstance(chain.stopped_by, UnavailableError) and not chain.links:
                raise chain.stopped_by
            elif not chain.links:
                self._settle_stopped(rest.pop(0), chain.stopped_by)
            else:
                self._push(rest, chain)
                fresh = True

    def _push(self, rest: list[LedgerOperation], chain: _Chain) -> None:
        """Push a chain, and take what that settles out of `rest`."""
        clone, tip = self._clone, chain.links[-1].commit
        before, count = clone.head, len(chain.links)
        pushed = self._repository.push(tip, self._repository.remote.branch, before)
        if pushed.outcome is Push.DONE:
            self._settle_pushed(chain, before)
            del rest[:count]
            self._size = min(self._options.batch, self._size * 2)
            self._races = self._stuck = 0
        elif pushed.outcome is Push.RACE:
            self._after_race(rest, chain, before, pushed.words)
        elif count == 1:
            self._push_branch(chain.links[0], pushed.words)
            del rest[0]
        else:
            self._size = 1  # one of several may be what is declined: each on its own

    def _after_race(
        self, rest: list[LedgerOperation], chain: _Chain, before: str | None, words: str
    ) -> None:
        # Whoever has won goes on; the others step aside, longer each time.
        longest = min(_LONGEST_ASIDE, self._options.race_seconds * 2.0**self._races)
        self._races += 1
        time.sleep(random.uniform(0, longest))  # noqa: S311 - no secret
        self._clone.fetch()
        self._recognise(rest, [link.operation for link in chain.links], before)
        # A shorter chain is made sooner, and outrun less.
        self._size = max(1, len(chain.links) // 2)
        self._stuck = self._stuck + 1 if self._clone.head == before else 0
        if self._stuck >= _STUCK_AFTER:  # nobody was quicker: a lock that was left behind
            self._stuck = 0
            raise UnavailableError(
                f"git's remote can't take a push now: {words}",
                code="git_remote_failed",
                next_step="Look for a lock that was left behind on the remote; I keep trying.",
                where="ledger.remote",
            )

    def _build(self, operations: Sequence[LedgerOperation]) -> _Chain:
        """Make commits upon the head until an operation changes nothing or can't be done."""
        ground, parent, links = self._clone.ground(), self._clone.head, list[_Link]()
        ends = time.monotonic() + _BUILD_SECONDS
        for operation in operations:
            if links and time.monotonic() > ends:
                break  # the longer it takes, the likelier another push is quicker
            change = self._apply(operation, ground)
            if isinstance(change, FaultbookError) or not change.files:
                return _Chain(links, ground, change)
            message = message_of(operation, change)
            now = self._store.clock()
            try:
                parent = self._repository.commit(parent, change.files, message, now)
            except InvalidError as error:
                return _Chain(links, ground, error)
            links.append(_Link(operation, change, parent))
            files = dict(ground.files) | change.files
            ground = replace(ground, files=files, highest=change.highest)
        return _Chain(links, ground)

    def _apply(self, operation: LedgerOperation, ground: Ground) -> Change | FaultbookError:
        try:
            return apply(operation, ground)
        except FaultbookError as error:
            if error.code not in _BROKEN_GROUND:
                return error
            return UnavailableError(
                f"{ground.ledger_path} can't be edited: {error.message}",
                code=error.code,
                next_step=error.next_step,
                where=error.where,
            )
        except Exception:  # the last boundary: a bug in one must not hold up the queue
            number = f"E-{short_id(new_id())[:4]}"
            log.exception("ledger_operation_failed", operation=operation.id, number=number)
            return InvalidError(
                f"Faultbook failed (`{number}`). Nothing was written.",
                code="internal_error",
                next_step="Edit the ledger by hand, and report that number.",
            )

    def _settle_pushed(self, chain: _Chain, before: str | None) -> None:
        tip = chain.links[-1].commit
        settled = [(link.operation, link.result) for link in chain.links]
        self._store.write(
            settle_all_pushed,
            settled,
            repository=self._repository.name,
            was=before,
            commit=tip,
            highest=chain.ground.highest,
            fallback=self._options.channel,
        )
        self._clone.move(tip, chain.ground.files, chain.ground.highest)

    def _settle_stopped(
        self, operation: LedgerOperation, why: FaultbookError | Change | None
    ) -> None:
        channel = self._options.channel
        if isinstance(why, TextConflictError):
            result = describe_conflict(why.theirs, why.mine)
            self._store.write(settle_conflict, operation, result, channel)
        elif isinstance(why, FaultbookError):
            self._store.write(settle_refused, operation, why, channel)
        else:  # all is as was asked for already
            told = {"number": why.number, "path": why.path} if why else {}
            result = {name: value for name, value in told.items() if value is not None}
            self._store.write(settle_pushed, operation, result, channel)

    def _push_branch(self, link: _Link, words: str) -> None:
        """Push what main does not take to a branch of its own."""
        operation, number = link.operation, link.change.number
        own = short_id(operation.id)
        names = [f"{BRANCHES}{own}"]
        if operation.verb in _NUMBERED and number is not None:
            names = [f"{BRANCHES}{number}", f"{BRANCHES}{number}-{own}"]
        for name in names:
            pushed = self._repository.push(link.commit, name, None)
            if pushed.outcome is Push.DONE:
                self._clone.highest = max(self._clone.highest, link.change.highest)
                self._settle_on_branch(operation, link.result | {"branch": name})
                return
            words = pushed.words or words
        error = InvalidError(
            f"The remote takes it neither on {self._repository.remote.branch} nor on a branch:"
            f" {words}.",
            code="push_declined",
            next_step="Let the bot push to branches named faultbook/*.",
            where="ledger.remote",
        )
        self._store.write(settle_refused, operation, error, self._options.channel)

    def _settle_on_branch(self, operation: LedgerOperation, result: dict[str, object]) -> None:
        clone = self._clone
        name, channel = self._repository.name, self._options.channel
        self._store.write(ledger.note_head, name, clone.head, clone.head, clone.highest)
        self._store.write(settle_on_branch, operation, result, channel)

    def _recognise(
        self,
        rest: list[LedgerOperation],
        tried: Sequence[LedgerOperation],
        since: str | None = None,
    ) -> None:
        """Settle what an earlier attempt has pushed after all."""
        if not tried:
            return
        landed = self._clone.find([operation.id for operation in tried], since)
        for operation in tried:
            found = landed.get(operation.id)
            if found is not None:
                self._store.write(settle_pushed, operation, _told(found), self._options.channel)
                rest.remove(operation)
            elif since is None and (branch := self._find_on_branch(operation)) is not None:
                name, there = branch
                self._settle_on_branch(operation, _told(there) | {"branch": name})
                rest.remove(operation)

    def _find_on_branch(self, operation: LedgerOperation) -> tuple[str, Landed] | None:
        git = self._repository.git
        for name, head in self._repository.branches().items():
            found = find_operations(git, [operation.id], head, self._clone.head)
            if operation.id in found:
                return name, found[operation.id]
        return None

    def _postpone(self, rest: Sequence[LedgerOperation], error: UnavailableError) -> None:
        steps = self._options.backoff_seconds
        attempts = max((operation.attempts for operation in rest), default=1)
        wait = steps[min(attempts, len(steps)) - 1] * random.uniform(0.8, 1.2)  # noqa: S311 - no secret
        log.warning("ledger_waits", why=error.message, operations=len(rest), seconds=round(wait, 1))
        not_before = self._store.clock() + seconds(wait)
        name, channel = self._repository.name, self._options.channel
        self._store.write(postpone, rest, name, not_before, error.message, channel)

    def _explained(self, error: UnavailableError | GitError) -> UnavailableError:
        if isinstance(error, UnavailableError):
            return error
        self._clone.heal(error)
        return UnavailableError(f"git failed here: {error.words}", code="git_failed")


def _told(found: Landed) -> dict[str, object]:
    told = {"commit": found.commit, "number": found.number, "path": found.path}
    return {name: value for name, value in told.items() if value is not None}
