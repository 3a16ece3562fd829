"""Drafts: kept whole, due within a day, reminded of once, late by the store's clock."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import select

from faultbook.base.clock import HOUR
from faultbook.base.errors import ConflictError, FaultbookError, NotFoundError
from faultbook.model.answer import FailingQuery
from faultbook.model.draft import (
    DUE_AFTER,
    DraftState,
    IncidentFacts,
    IncidentForm,
    NewDraft,
    Origin,
)
from faultbook.model.person import Person
from faultbook.operations.drafts import (
    hand_over,
    is_blank,
    list_due_from,
    list_late,
    read_draft,
    read_open_draft,
    remind_due,
    save_draft,
    settle_draft,
)
from faultbook.store.engine import Store
from faultbook.store.schema import notices
from faultbook.store.transaction import Transaction
from tests.conftest import FrozenClock

ANA, BEN = Person("UANA", "Ana Ruiz"), Person("UBEN", "Ben Okafor")
FORM = IncidentForm(title="invoice-sync wrote no PDF", what_failed="It said done.", owner_id="UANA")
FACTS = IncidentFacts("invoice-sync", "production", "main", streak=6, fingerprint="f1-ab")
NEW = NewDraft(FORM, FACTS, ANA, Origin("C1", "1795000000.000100"))


def owed(tx: Transaction) -> list[tuple[str, str, str]]:
    rows = tx.execute(select(notices).order_by(notices.c.sequence))
    return [(row.kind, row.target, row.payload["to"]["user"]) for row in rows]


def saved(store: Store, new: NewDraft = NEW, key: str = "k") -> str:
    notice = store.write(save_draft, [key], new)
    assert notice is not None
    return str(notice.payload["draft"])


def test_a_draft_keeps_its_fields_thread_and_facts(store: Store, clock: FrozenClock) -> None:
    draft = store.read(read_draft, saved(store))
    assert (draft.form, draft.facts, draft.owner) == (FORM, FACTS, ANA)
    assert draft.origin == Origin("C1", "1795000000.000100")
    assert draft.state is DraftState.DRAFT
    assert draft.due_at == clock.instant + 24 * HOUR == clock.instant + DUE_AFTER
    assert store.read(owed) == [("draft.saved", "C1", "UANA")]


def test_a_delivery_that_comes_twice_makes_one_draft(store: Store) -> None:
    saved(store)
    assert store.write(save_draft, ["k"], NEW) is None
    assert len(store.read(list_due_from, "UANA")) == 1
    assert len(store.read(owed)) == 1


def test_saving_a_draft_again_changes_it_without_a_second_message(store: Store) -> None:
    draft_id = saved(store)
    changed = replace(NEW, form=replace(FORM, impact="40 invoices late"), owner=BEN)
    assert store.write(save_draft, ["k2"], changed, draft_id) is None
    draft = store.read(read_draft, draft_id)
    assert draft.form.impact == "40 invoices late"
    assert draft.owner == BEN
    assert len(store.read(owed)) == 1


def test_its_owner_is_reminded_once_at_twenty_hours(store: Store, clock: FrozenClock) -> None:
    saved(store)
    clock.advance(20 * 3600 - 1)
    assert store.write(remind_due) == []
    clock.advance(1)
    assert store.write(remind_due) == ["C1"]
    clock.advance(30 * 3600)
    assert store.write(remind_due) == []
    assert [kind for kind, *_ in store.read(owed)] == ["draft.saved", "draft.reminder"]


def test_two_bots_that_tick_at_once_remind_once(store: Store, clock: FrozenClock) -> None:
    saved(store)
    clock.advance(21 * 3600)
    with ThreadPoolExecutor(4) as pool:
        woken = list(pool.map(lambda _: store.write(remind_due), range(8)))
    assert sum(len(targets) for targets in woken) == 1


def test_a_draft_without_a_thread_reminds_its_owner_directly(
    store: Store, clock: FrozenClock
) -> None:
    saved(store, replace(NEW, origin=Origin()))
    clock.advance(20 * 3600)
    assert store.write(remind_due) == ["UANA"]


def test_the_reminder_goes_to_whom_the_draft_was_handed(store: Store, clock: FrozenClock) -> None:
    draft_id = saved(store)
    assert store.write(hand_over, ["h"], draft_id, BEN, ANA) is not None
    assert store.write(hand_over, ["h"], draft_id, ANA, BEN) is None  # the same delivery again
    assert store.write(hand_over, ["h2"], draft_id, BEN, ANA) is None  # it is his already
    clock.advance(20 * 3600)
    store.write(remind_due)
    assert [(kind, user) for kind, _, user in store.read(owed)] == [
        ("draft.saved", "UANA"),
        ("draft.handed_over", "UBEN"),
        ("draft.reminder", "UBEN"),
    ]
    assert store.read(list_due_from, "UANA") == []
    assert store.read(list_due_from, "UBEN")[0].form.owner_id == "UBEN"


def test_a_draft_is_late_from_the_moment_it_is_due(store: Store, clock: FrozenClock) -> None:
    saved(store)
    clock.advance(24 * 3600 - 1)
    assert store.read(list_late, FailingQuery()) == ()
    clock.advance(1)
    [late] = store.read(list_late, FailingQuery())
    assert (late.title, late.owner, late.due_at) == (FORM.title, "Ana Ruiz", clock.instant)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        (FailingQuery(), True),
        (FailingQuery(environment="production"), True),
        (FailingQuery(workflow="invoice-sync", branch="main"), True),
        (FailingQuery(environment="staging"), False),
        (FailingQuery(workflow="price-feed"), False),
        (FailingQuery(branch="release/2"), False),
    ],
)
def test_a_question_about_a_place_is_about_its_drafts(
    sqlite_store: Store, clock: FrozenClock, query: FailingQuery, *, told: bool
) -> None:
    saved(sqlite_store)
    clock.advance(25 * 3600)
    assert bool(sqlite_store.read(list_late, query)) is told


def test_a_draft_that_became_an_incident_is_due_no_more(store: Store, clock: FrozenClock) -> None:
    draft_id = saved(store)
    store.write(settle_draft, draft_id, "op-1")
    clock.advance(25 * 3600)
    assert store.write(remind_due) == []
    assert store.read(list_late, FailingQuery()) == ()
    assert store.read(list_due_from, "UANA") == []
    assert store.read(read_draft, draft_id).operation_id == "op-1"


def test_only_one_incident_comes_of_a_draft(store: Store) -> None:
    draft_id = saved(store)

    def settle(number: int) -> bool:
        try:
            store.write(settle_draft, draft_id, f"op-{number}")
        except ConflictError as error:
            return error.code != "draft_opened"
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(settle, range(8))) == 1


def test_what_is_no_draft_any_more_is_named_and_changes_nothing(store: Store) -> None:
    draft_id = saved(store)
    store.write(settle_draft, draft_id, "op-1")
    attempts = (
        lambda: store.write(save_draft, ["late"], NEW, draft_id),
        lambda: store.write(hand_over, ["late"], draft_id, BEN, ANA),
        lambda: store.read(read_open_draft, draft_id),
    )
    for attempt in attempts:
        with pytest.raises(ConflictError, match="invoice-sync wrote no PDF"):
            attempt()
    assert store.read(read_draft, draft_id).owner == ANA


@pytest.mark.parametrize("call", [read_draft, read_open_draft])
def test_an_unknown_draft_is_named(sqlite_store: Store, call: object) -> None:
    assert callable(call)
    with pytest.raises(NotFoundError) as refused:
        sqlite_store.read(call, "none")
    assert isinstance(refused.value, FaultbookError)
    assert refused.value.code == "unknown_draft"


def test_a_form_that_says_nothing_is_blank() -> None:
    assert is_blank(IncidentForm(severity="high", title=" "))
    assert not is_blank(IncidentForm(what_failed="x"))
