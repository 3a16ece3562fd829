"""The newest known state of the ledger's repository, and what a fetch of it brings to light."""

from collections.abc import Mapping
from dataclasses import dataclass, field

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
from faultbook.ledger.rows import LEDGER_NAME, Row
from faultbook.ledger.snapshot import TEMPLATE, LedgerSnapshot
from faultbook.ledger.table import read_ledger
from faultbook.model.ledger_operation import LedgerOperationState, LedgerVerb, PushedFinding
from faultbook.operations.known_failures import link_incidents, list_unlinked
from faultbook.operations.ledger import (
    SHOWN_FINDINGS,
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
        race_seconds: how long to wait at most after a push that another one outran; twice as long
            after each further one.
    """

    template: str
    channel: str = ""
    fetch_seconds: float = 60.0
    batch: int = 32
    lease_seconds: float = 120.0
    backoff_seconds: tuple[float, ...] = (1.0, 2.0, 5.0, 15.0, 30.0, 60.0)
    race_seconds: float = 0.1


@dataclass(frozen=True, slots=True)
class _State:
    """What was told of last: a head, its files, and the highest number until then."""

    head: str | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)
    highest: int = 0


class LedgerClone:
    """A repository with what is known of it; used by one thread, under the repository's lock.

    What work needs is known after a fetch; what the fetch means to people is told by `observe`,
    later, since a push that waits for that would be outrun more often.

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
        self._told = _State()
        self._fetched = False
        self.snapshot = self._make_snapshot()

    def fetch(self) -> None:
        """Bring in what is new on the remote.

        Raises:
            UnavailableError: the remote can't be had.
        """
        head = self.repository.fetch()
        self._fetched = True
        if self.known and head == self.head:
            return
        since = self.head
        if not self.known:
            since, highest = self._store.read(ledger.read_head, self.repository.name)
            self.highest = max(self.highest, highest)
            self._told = _State(highest=self.highest)
        if since is not None and not self.repository.has(since):
            since = None
        self.head, self._files = head, self.repository.read(head, self._paths)
        if head is not None:
            path = f"{self._folder}/{LEDGER_NAME}"
            git = self.repository.git
            self.highest = highest_number(git, path, head, since, self.highest)
        self.known = True

    @property
    def _paths(self) -> tuple[str, str]:
        return self._folder, TEMPLATE

    def ground(self) -> Ground:
        """Give what operations are applied to."""
        return Ground(self._files, self._template(self._files), self.highest, self._folder)

    def move(self, head: str, files: Mapping[str, bytes], highest: int) -> None:
        """Take as the newest state what was pushed from here."""
        self.head, self._files, self.highest = head, files, max(self.highest, highest)

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

    def observe(self) -> None:
        """Record the head, and tell what has come to it: problems, merged branches, new rows."""
        if not self.known:
            return
        name = self.repository.name
        was, _ = self._store.read(ledger.read_head, name)
        since = self._told.head
        if self._fetched or was != self.head:
            findings = self._findings(was)
            channel = self.options.channel
            # Of several replicas the one that moves the head on tells of it.
            self._store.write(note_head, name, was, self.head, self.highest, findings, channel)
            self._fetched = False
        self._told = _State(self.head, self._files, self.highest)
        if self.snapshot.commit != self.head:
            self._settle_merged(since)
            self._publish()
            self._owe_numbers()

    def _state_at(self, commit: str) -> "_State":
        return _State(commit, self.repository.read(commit, self._paths), self._told.highest)

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
        """Owe numbers to rows that a person left as `new`, unless that is under way."""
        data = self._files.get(f"{self._folder}/{LEDGER_NAME}")
        if data is None or not any(_is_new(row) for row in read_ledger(data).rows):
            return
        branches = self.repository.branches()
        for state in (LedgerOperationState.WAITING, LedgerOperationState.ON_BRANCH):
            for operation in self._store.read(ledger.list_in, state, _BRANCHES_WATCHED):
                branch = operation.result.get("branch")
                if operation.verb is LedgerVerb.NUMBER_NEW_ROWS and branch in {None, *branches}:
                    return
        key = f"number {self.repository.name} {self.head}"
        new = prepare_operation(
            LedgerVerb.NUMBER_NEW_ROWS, {}, requester_id="", requester_name="", key=key
        )
        self._store.write(owe, new)

    def _findings(self, since: str | None) -> list[PushedFinding]:
        """Find the problems that people's commits brought; those of before are not said again."""
        git, head = self.repository.git, self.head
        if since is None or head is None or since == head or not self.repository.has(since):
            return []
        authors = hand_authors(git, self._folder, head, since)
        if not authors:
            return []
        before = self._told if self._told.head == since else self._state_at(since)
        template, highest = self._template(before.files), before.highest
        old = {_key(one) for one in check_files(before.files, template=template, highest=highest)}
        new = check_files(
            self._files,
            base=before.files,
            template=self._template(self._files),
            highest=highest,
        )
        found = [one for one in new if not one.warning and _key(one) not in old]
        return [self._told_of(one, n, (since, head), authors) for n, one in enumerate(found)]

    def _told_of(
        self, one: Finding, place: int, span: tuple[str, str], authors: list[str]
    ) -> PushedFinding:
        since, head = span
        log.warning("ledger_finding", path=one.path, line=one.line, code=one.code)
        who = None
        if place < SHOWN_FINDINGS:  # the others are only counted
            who = who_wrote(self.repository.git, one.path, one.line, head, since)
        return PushedFinding(
            one.path,
            one.line,
            one.column,
            one.code,
            one.message,
            one.next_step,
            who or authors[0],
        )

    def _template(self, files: Mapping[str, bytes]) -> str:
        own = files.get(TEMPLATE)
        return self.options.template if own is None else own.decode("utf-8", "replace")

    def _make_snapshot(self) -> LedgerSnapshot:
        template = self._template(self._files)
        return LedgerSnapshot(self.head, self._files, template, self._folder)

    def _publish(self) -> None:
        snapshot = self._make_snapshot()
        _ = snapshot.index  # made here, so that no door waits for it
        self.snapshot = snapshot
        known = {
            file.fields.fingerprint: (file.fields.lesson, path)
            for path, file in snapshot.incidents.items()
            if file.fields.fingerprint and file.fields.lesson is not None
        }
        if self._store.read(list_unlinked, known):
            self._store.write(link_incidents, known)


def _is_new(row: Row) -> bool:
    cell = row.number_cell()
    return cell is not None and "new" in {cell[1], cell[3]}


def _key(finding: Finding) -> tuple[str, str, str]:
    return finding.path, finding.code, finding.message
