"""Dead letters: what was given up after its attempts, kept until a person retries or drops it."""

from faultbook.base.errors import ConflictError, InvalidError, NotFoundError
from faultbook.base.redaction import redact
from faultbook.base.text import cut, one_line
from faultbook.model.notice import DeadNotice
from faultbook.store import notices
from faultbook.store.transaction import Transaction

_SHORTEST_END = 6
_LIST = "List them: `faultbook notices list`."


def list_dead_letters(tx: Transaction, limit: int = 500) -> list[DeadNotice]:
    """List what could not be delivered, the oldest first."""
    return notices.list_dead(tx, limit)


def count_dead_letters(tx: Transaction) -> int:
    """Tell how many notices could not be delivered."""
    return notices.count_dead(tx)


def retry_dead_letter(tx: Transaction, told: str) -> str:
    """Owe a dead letter again, by its id or the end of it, and give its id.

    Where its subject is owed a newer notice already, that one shows it, and this one is dropped.

    Raises:
        InvalidError: the end names several.
        NotFoundError: there is no such notice.
        ConflictError: it is not dead; nothing changed.
    """
    notice_id = _dead(tx, told)
    if not notices.revive(tx, notice_id):
        notices.drop_dead(tx, notice_id, {"superseded": True})
    return notice_id


def drop_dead_letter(tx: Transaction, told: str) -> str:
    """Let a dead letter rest, by its id or the end of it, and give its id.

    Raises:
        InvalidError: the end names several.
        NotFoundError: there is no such notice.
        ConflictError: it is not dead; nothing changed.
    """
    notice_id = _dead(tx, told)
    notices.drop_dead(tx, notice_id, {"dropped": True})
    return notice_id


def retry_all(tx: Transaction) -> list[str]:
    """Owe every dead letter again, and give their ids."""
    return [retry_dead_letter(tx, one) for one in notices.list_dead_ids(tx, "")]


def drop_all(tx: Transaction) -> list[str]:
    """Let every dead letter rest, and give their ids."""
    return [drop_dead_letter(tx, one) for one in notices.list_dead_ids(tx, "")]


def _dead(tx: Transaction, told: str) -> str:
    """Find a dead letter."""
    wanted = told.strip().lower()
    found = notices.list_dead_ids(tx, wanted) if len(wanted) >= _SHORTEST_END else []
    if len(found) == 1:
        return found[0]
    shown = cut(one_line(redact(told)), 40)
    if found:
        raise InvalidError(
            f"{len(found)} notices end in `{shown}`.",
            code="ambiguous_notice",
            next_step="Give more of the id.",
            where="ID",
        )
    state = notices.find_state(tx, wanted)
    if state is None:
        raise NotFoundError(
            f"No notice `{shown}` was given up.", code="unknown_notice", next_step=_LIST, where="ID"
        )
    raise ConflictError(
        f"Notice `{shown}` is {state}, not dead; nothing changed.",
        code="notice_not_dead",
        next_step=_LIST,
        where="ID",
    )
