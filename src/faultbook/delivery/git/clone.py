"""The newest known state of the ledger's repository, and what a fetch of it brings to light."""

from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from faultbook.ledger.git import GitError, is_damage
from faultbook.ledger.history import (
    Landed,
    find_operations,
    hand_authors,
    highest_number,
    who_wrote,
)
from faultbook.ledger.lint import Finding, check_files
from faultbook.ledger.replay import Ground
from faultbook.ledger.repository import Repository
from faultbook.ledger.rows import LEDGER_NAME
from faultbook.ledger.snapshot import TEMPLATE, LedgerSnapshot
from faultbook.model.ledger_operation import LedgerOperationState, LedgerVerb, PushedFinding
from faultbook.operations.ledger import (
    note_head,
    owe,
    prepare_operation,
    settle_pushed,
)
from faultbook.store import ledger
from faultbook.store.engine import Store

_BRANCHES_WATCHED = 100

log = structlog.get_logger("ledger")


@dataclass(frozen=True, slots=True)
class LedgerOptions:
    """How the ledger in git is kept.

    Attributes:
        template: for incident files, where the repository has none of its own.
        channel: where to say what has no place of its own; empty for nowhere.
        fetch_seconds: how often hand edits are looked for.
        batch: operations that share a push at most.
        lease_seconds: how long a claim lasts; longer than one round of work.
        backoff_seconds: how long to wait after the first, second, … trouble with the remote.
        race_seconds: how long to wait at most before a push that another one outran.
    """

    template: str
    channel: str = ""
    fetch_seconds: float = 60.0
    batch: int = 32
    lease_seconds: float = 120.0
    backoff_seconds: tuple[float, ...] = (1.0, 2.0, 5.0, 15.0, 30.0, 60.0)
    race_seconds: float = 0.1


class LedgerClone:
    """A repository with what is known of it; used by one thread, under the repository's lock.

    Attributes:
        head: the newest commit known; None where the branch is not there yet.
        known: it was fetched at least once in this process.
        highest: the highest number that a lesson ever had, on main or on a branch of ours.
        snapshot: the state for doors; replaced as a whole, so that any thread may read it.
    """

    def __init__(self, store: Store, repository: Repository, options: LedgerOptions) -> None:
        self.repository = repository
        self.options = options
        self.head: str | None = None
        self.known = False
        self.highest = 0
        self._store = store
        self._folder = repository.remote.folder
        self._files: Mapping[str, bytes] = {}
        self.snapshot = self._make_snapshot()

    def fetch(self) -> None:
        """Bring in what is new on the remote, and tell of it.

        Raises:
            UnavailableError: the remote can't be had.
        """
        head = self.repository.fetch()
        if self.known and head == self.head:
            name, store = self.repository.name, self._store
            store.write(note_head, name, head, head, self.highest)
            return
        self._take_in(head)

    def ground(self) -> Ground:
        """Give what operations are applied to."""
        return Ground(self._files, self.snapshot.template, self.highest, self._folder)

    def move(self, head: str, files: Mapping[str, bytes], highest: int) -> None:
        """Take as the newest state what was pushed from here."""
        self.head, self._files, self.highest = head, files, max(self.highest, highest)
        self._publish()

    def find(self, ids: list[str], since: str | None = None) -> dict[str, Landed]:
        """Look for operations in the history of the head."""
        if self.head is None or not ids:
            return {}
        return find_operations(self.repository.git, ids, self.head, since)

    def heal(self, error: GitError) -> None:
        """Throw a damaged clone away; the next fetch makes it anew."""
        if is_damage(error):
            self.repository.discard()
            self.known = False

    def _take_in(self, head: str | None) -> None:
        was, highest = self._store.read(ledger.read_head, self.repository.name)
        since = was if was and self.repository.has(was) else None
        before, template = self._files, self.snapshot.template
        paths = (self._folder, TEMPLATE)
        self.head, self._files = head, self.repository.read(head, paths)
        known = max(self.highest, highest)
        self.highest = max(known, self._highest_since(since))
        findings: list[PushedFinding] = []
        if head is not None and since is not None and since != head:
            if not self.known:
                before = self.repository.read(since, paths)
            findings = self._findings((since, head), before, template, known)
        self.known = True
        self._store.write(
            note_head,
            self.repository.name,
            was,
            head,
            self.highest,
            findings,
            self.options.channel,
        )
        self._settle_merged(since)
        self._publish()
        self._owe_numbers()

    def _highest_since(self, since: str | None) -> int:
        if self.head is None:
            return 0
        path = f"{self._folder}/{LEDGER_NAME}"
        return highest_number(self.repository.git, path, self.head, since)

    def _settle_merged(self, since: str | None) -> None:
        """Settle what was on a branch of its own and has come to main."""
        state = LedgerOperationState.ON_BRANCH
        waiting = self._store.read(ledger.list_in, state, _BRANCHES_WATCHED)
        landed = self.find([operation.id for operation in waiting], since)
        for operation in waiting:
            if operation.id in landed:
                result = operation.result | {"commit": landed[operation.id].commit}
                self._store.write(settle_pushed, operation, result, self.options.channel)

    def _owe_numbers(self) -> None:
        """Owe numbers to rows that a person left as `new`."""
        if self.head is None or all(lesson.number for lesson in self.snapshot.lessons):
            return
        key = f"number {self.repository.name} {self.head}"
        new = prepare_operation(
            LedgerVerb.NUMBER_NEW_ROWS, {}, requester_id="", requester_name="", key=key
        )
        self._store.write(owe, new)

    def _findings(
        self, span: tuple[str, str], before: Mapping[str, bytes], template: str, highest: int
    ) -> list[PushedFinding]:
        """Find the problems that people's commits brought; those of before are not said again."""
        git, (since, head) = self.repository.git, span
        authors = hand_authors(git, self._folder, head, since)
        if not authors:
            return []
        own = self._make_snapshot()
        old = {_key(one) for one in check_files(before, template=template, highest=highest)}
        new = check_files(self._files, base=before, template=own.template, highest=highest)
        found = [one for one in new if not one.warning and _key(one) not in old]
        told = []
        for one in found:
            who = who_wrote(git, one.path, one.line, head, since) or authors[0]
            told.append(
                PushedFinding(
                    one.path, one.line, one.column, one.code, one.message, one.next_step, who
                )
            )
        return told

    def _make_snapshot(self) -> LedgerSnapshot:
        own = self._files.get(TEMPLATE)
        template = self.options.template if own is None else own.decode("utf-8", "replace")
        return LedgerSnapshot(self.head, self._files, template, self._folder)

    def _publish(self) -> None:
        snapshot = self._make_snapshot()
        _ = snapshot.index  # made here, so that no door waits for it
        self.snapshot = snapshot


def _key(finding: Finding) -> tuple[str, str, str]:
    return finding.path, finding.code, finding.message
