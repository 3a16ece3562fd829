"""The audit log's head, written into the ledger's repository once a day as a tag."""

import structlog

from faultbook.base.clock import iso
from faultbook.base.errors import UnavailableError
from faultbook.ledger.audit_tags import fetch_tags, list_tags, put_tag
from faultbook.ledger.git import GitError
from faultbook.ledger.repository import Push, Repository
from faultbook.operations.auditing import read_head
from faultbook.store.engine import Store

log = structlog.get_logger("ledger")


class HeadTagger:
    """Sees to it that each day has its tag; used by one thread, under the repository's lock."""

    def __init__(self, store: Store, repository: Repository) -> None:
        self._store = store
        self._repository = repository
        self._done = ""

    def tag_due(self) -> None:
        """Tag the head of today unless it is tagged; what fails is tried again by the next call.

        Several replicas may try at once: the remote takes one, and the others take it over.
        """
        now = self._store.clock()
        today = iso(now)[:10]
        if today == self._done:
            return
        head, commit = self._store.read(read_head), self._repository.head()
        if head.size == 0 or commit is None:
            return
        try:
            self._fetch()
            if today not in list_tags(self._repository):
                pushed = put_tag(self._repository, today, head, commit, now)
                if pushed.outcome is Push.RACE:
                    self._fetch()
                elif pushed.outcome is Push.DECLINED:  # it will not take the next one either
                    log.warning("audit_tag_declined", why=pushed.words)
        except (UnavailableError, GitError) as error:
            log.warning("audit_tag_waits", why=str(error))
        else:
            self._done = today

    def _fetch(self) -> None:
        moved = fetch_tags(self._repository)
        if moved:
            log.warning("audit_tag_differs", why=moved, kept="the one that is here")
