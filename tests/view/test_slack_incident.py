"""Incidents and drafts as Slack shows them: words, limits, and nothing from outside live."""

import json

from hypothesis import given
from hypothesis import strategies as st

from faultbook.base.clock import HOUR, Instant
from faultbook.model.draft import (
    DraftState,
    IncidentDraft,
    IncidentFacts,
    IncidentForm,
    Origin,
)
from faultbook.model.person import Person
from faultbook.model.run import SeriesKey
from faultbook.model.standing import RunMark
from faultbook.view.message import Block
from faultbook.view.series_values import (
    Beginning,
    SuggestionValue,
    read_beginning,
    read_series,
    read_suggestion,
    write_beginning,
    write_series,
    write_suggestion,
)
from faultbook.view.slack_incident import (
    close_incident_form,
    draft_handed_over_message,
    draft_kept_modal,
    draft_opened_message,
    draft_reminder_message,
    draft_saved_message,
    open_incident_message,
    read_draft_block,
)
from faultbook.view.slack_incident_form import incident_form, prefilled
from tests.view.answers import AS_OF, QUICK, november, outside_text, urls
from tests.view.slack_rules import assert_message, assert_view

FACTS = IncidentFacts(
    workflow="invoice-sync",
    environment="prod",
    branch="main",
    since=november(18, 15, 4),
    streak=6,
    reason="missing_artifact_ref",
    detail="no PDF was written",
    fingerprint="f1-0123456789abcdef0123",
    run_id="019a94f0-0000-7000-8000-00007c1e90ab",
    permalink="https://team.slack.com/archives/C1/p1795000000000100",
)
DRAFT = IncidentDraft(
    id="019a94f0-0000-7000-8000-0000dddddddd",
    form=IncidentForm(title="invoice-sync wrote no PDF", owner_id="UANA"),
    facts=FACTS,
    owner=Person("UANA", "Ana Ruiz"),
    origin=Origin("C1", "1795000000.000100"),
    state=DraftState.DRAFT,
    created_at=november(17, 9),
    due_at=november(18, 9),
)
NAMES = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=200)
ANY_FACTS = st.builds(
    IncidentFacts,
    workflow=NAMES,
    environment=NAMES,
    branch=NAMES,
    since=st.none() | st.integers(november(1, 0), AS_OF),
    streak=st.integers(0, 10**6),
    reason=st.just("") | st.just("missing_artifact_ref"),
    detail=outside_text,
    permalink=urls | st.just(""),
)
ANY_FORM = st.builds(IncidentForm, *([outside_text] * 15))


def element(view: Block, name: str) -> Block:
    found: Block = next(b["element"] for b in view["blocks"] if b.get("block_id") == name)
    return found


def first_text(view: Block) -> str:
    return str(view["blocks"][0]["text"]["text"])


def test_the_form_is_filled_from_what_is_known_but_never_the_rule() -> None:
    form = prefilled(FACTS, "UANA", AS_OF)
    assert form.title == "invoice-sync: no PDF was written"
    assert form.what_failed == (
        "No PDF was written (missing_artifact_ref). 6 runs in a row since 18 Nov 15:04 UTC."
    )
    assert (form.area, form.owner_id, form.severity) == ("invoice-sync", "UANA", "medium")
    view = incident_form(Beginning(FACTS, Origin("C1", "1.5")), form)
    assert_view(view)
    assert "initial_value" not in element(view, "rule")
    for words in ("*invoice-sync* · prod · main", "6 runs in a row since", "this message"):
        assert words in first_text(view)
    order = [block["block_id"] for block in view["blocks"] if block["type"] == "input"]
    assert order[:8] == [
        *("title", "what_failed", "severity", "area", "owner", "rule", "enforcement"),
        "enforcement_ref",
    ]
    hint = next(b["hint"]["text"] for b in view["blocks"] if b.get("block_id") == "rule")
    assert hint == "One sentence a stranger can check: when X, do Y, held by Z."
    assert "Still burning? The rule is then due in 24 h." in json.dumps(view)
    assert view["submit"]["text"] == "Open incident"


def test_a_form_without_a_series_asks_for_words() -> None:
    form = prefilled(IncidentFacts(detail="The door\nwas open"), "UANA", AS_OF)
    assert (form.title, form.area) == ("The door was open", "")
    view = incident_form(Beginning(), IncidentForm(), note="A draft needs a title.")
    assert_view(view)
    assert first_text(view) == "*A draft needs a title.*"


@QUICK
@given(ANY_FACTS, ANY_FORM)
def test_any_form_is_a_valid_view_and_carries_its_beginning(
    facts: IncidentFacts, form: IncidentForm
) -> None:
    beginning = Beginning(facts, Origin("C0123456789", "1795000000.000100"), DRAFT.id)
    view = incident_form(beginning, form)
    assert_view(view)
    assert len(view["private_metadata"]) <= 3000
    carried = read_beginning(view["private_metadata"])
    assert (carried.origin, carried.draft_id) == (beginning.origin, beginning.draft_id)
    assert carried.facts.series == facts.series
    assert_view(incident_form(beginning, prefilled(facts, "UANA", AS_OF)))


def test_the_longest_names_fit_into_a_modal_and_a_button() -> None:
    key = SeriesKey("é" * 200, '"' * 200, "\\" * 200)
    facts = IncidentFacts(key.workflow, key.environment, key.branch, detail='"' * 5000)
    assert len(write_beginning(Beginning(facts))) <= 3000
    assert len(write_series(key)) <= 2000
    value = SuggestionValue("f1-" + "a" * 20, FACTS.run_id, key, 10**6)
    assert len(write_suggestion(value)) <= 2000
    assert read_series(write_series(key)) == key
    assert read_suggestion(write_suggestion(value)) == value


def test_a_draft_says_when_its_rule_is_due() -> None:
    message = draft_saved_message(DRAFT, november(17, 9))
    assert_message(message)
    assert message.text == (
        "Draft saved: invoice-sync wrote no PDF. Nothing is in git yet. Its prevention rule is due"
        " 18 Nov 09:00 UTC."
    )
    assert_view(draft_kept_modal(DRAFT.form.title))


def test_the_reminder_mentions_the_owner_and_offers_both_ways_out() -> None:
    message = draft_reminder_message(DRAFT, november(18, 5))
    assert_message(message, mentions=1)
    assert message.text == (
        "Ana Ruiz invoice-sync wrote no PDF needs its prevention rule by 18 Nov 09:00 UTC."
    )
    assert message.blocks[0]["text"]["text"].startswith("<@UANA> *invoice-sync wrote no PDF* needs")
    row = message.blocks[1]
    assert read_draft_block(row["block_id"]) == DRAFT.id
    assert [one["type"] for one in row["elements"]] == ["button", "users_select"]
    late = draft_reminder_message(DRAFT, november(18, 9))
    assert "needed its prevention rule by" in late.text


def test_who_is_handed_a_draft_is_told_by_whom() -> None:
    message = draft_handed_over_message(DRAFT, "Ben Okafor", november(18, 5))
    assert_message(message, mentions=1)
    assert message.text.startswith("Ana Ruiz Ben Okafor handed this over: invoice-sync wrote")


@QUICK
@given(outside_text, outside_text, outside_text)
def test_no_draft_makes_anything_live(title: str, name: str, by: str) -> None:
    form = IncidentForm(title=title, what_failed=by)
    draft = IncidentDraft(
        **{field: getattr(DRAFT, field) for field in ("id", "facts", "origin", "state")},
        form=form,
        owner=Person("UANA", name),
        created_at=DRAFT.created_at,
        due_at=DRAFT.due_at,
    )
    now: Instant = AS_OF - HOUR
    assert_message(draft_saved_message(draft, now))
    assert_message(draft_opened_message(draft, now))
    assert_message(draft_reminder_message(draft, now), mentions=1)
    assert_message(draft_handed_over_message(draft, by, now), mentions=1)
    assert_view(draft_kept_modal(title))
    runs = [RunMark(FACTS.run_id, now)]
    assert_view(close_incident_form(title, by, runs, now))
    assert_view(close_incident_form(title, by, [], now))


def test_what_is_no_id_of_a_person_is_never_a_mention() -> None:
    draft = IncidentDraft(
        **{
            **{field: getattr(DRAFT, field) for field in DRAFT.__slots__},
            "owner": Person("!channel", "Ana <Ruiz>"),
        }
    )
    shown = draft_reminder_message(draft, AS_OF).blocks[0]["text"]["text"]
    assert shown.startswith("Ana &lt;Ruiz&gt; *")


def test_an_incident_is_offered_by_a_button() -> None:
    assert_message(open_incident_message())
