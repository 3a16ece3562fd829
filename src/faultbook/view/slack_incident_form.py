"""The modal "Open incident": what is known is filled in; the prevention rule never is."""

from collections.abc import Sequence

from faultbook.base.clock import Instant
from faultbook.base.text import cut, one_line
from faultbook.model.draft import IncidentFacts, IncidentForm
from faultbook.model.incident import Enforcement, Severity
from faultbook.view.actions import INCIDENT_FORM, INCIDENT_OWNER, INCIDENT_SAVE_DRAFT
from faultbook.view.lines import (
    DOT,
    Bold,
    Code,
    Line,
    Link,
    Moment,
    Span,
    join,
    name,
    plain,
    safe_url,
    words,
)
from faultbook.view.message import Block
from faultbook.view.series_values import Beginning, write_beginning
from faultbook.view.slack_blocks import actions, button, context, modal, plain_text, section
from faultbook.view.slack_inputs import (
    Field,
    number_input,
    person_input,
    select_input,
    text_input,
)

RULE_HINT = "One sentence a stranger can check: when X, do Y, held by Z."
_TITLE = 150
_AREA = 80
_RULE = 500
_REFERENCE = 300
_WORDS = 3000

_SEVERITIES = tuple((one.value, one.value.capitalize()) for one in Severity)
_ENFORCEMENTS = (
    (Enforcement.NONE.value, "None: people remember it"),
    (Enforcement.DOC.value, "Doc: it is written where people look"),
    (Enforcement.CHECK.value, "Check: a program warns"),
    (Enforcement.TEST.value, "Test: a test fails"),
    (Enforcement.GATE.value, "Gate: it can't happen"),
)


def prefilled(facts: IncidentFacts, owner_id: str, now: Instant) -> IncidentForm:
    """Fill in what is known of a failing series; what is not known stays empty."""
    severity = Severity.MEDIUM.value
    if not facts.workflow:
        what = words(facts.detail, _WORDS)
        title = cut(one_line(what), _TITLE)
        return IncidentForm(title=title, what_failed=what, severity=severity, owner_id=owner_id)
    reason = facts.reason.replace("_", " ")
    happened = one_line(facts.detail) or reason or "it failed"
    return IncidentForm(
        title=cut(f"{one_line(facts.workflow)}: {happened}", _TITLE),
        what_failed=_what_failed(facts, happened, now),
        severity=severity,
        area=cut(one_line(facts.workflow), _AREA),
        owner_id=owner_id,
    )


def _what_failed(facts: IncidentFacts, happened: str, now: Instant) -> str:
    first = happened[:1].upper() + happened[1:]
    told = f"{first.rstrip('.')} ({facts.reason})." if facts.reason else f"{first.rstrip('.')}."
    runs = plain(_runs(facts), now)
    return f"{told} {runs[:1].upper()}{runs[1:]}." if runs else told


def incident_form(beginning: Beginning, form: IncidentForm, *, note: str = "") -> Block:
    """Ask for an incident; `form` is what stands there already, `note` what is wrong with it."""
    facts = _facts(beginning.facts)
    noted = [section([[Bold(note)]])] if note else []
    view = modal(
        "Open incident",
        [*noted, section(facts), *_asked_first(form), *_rule(form), *_optional(form)],
        callback_id=INCIDENT_FORM,
        metadata=write_beginning(beginning),
    )
    return view | {
        "submit": plain_text("Open incident", 24),
        "close": plain_text("Cancel", 24),
    }


def _facts(facts: IncidentFacts) -> list[Line]:
    url = safe_url(facts.permalink)
    began: Line = [] if url is None else ["From ", Link(url, "this message")]
    if not facts.workflow:
        told: Line = ["No series is named here: say in your words what failed."]
        return [told, *([began] if began else [])]
    place: list[Span] = [Bold(name(facts.workflow)), *DOT, name(facts.environment)]
    reason: Line = [Code(facts.reason)] if facts.reason else []
    detail: Line = [words(facts.detail)] if facts.detail else []
    cause = join([line for line in (reason, detail) if line], [": "])
    lines: list[Line] = [[*place, *DOT, name(facts.branch)], _runs(facts), cause, began]
    return [line for line in lines if line]


def _runs(facts: IncidentFacts) -> Line:
    if not facts.streak:
        return []
    count = "1 run" if facts.streak == 1 else f"{facts.streak} runs in a row"
    return [count] if facts.since is None else [f"{count} since ", Moment(facts.since)]


def _asked_first(form: IncidentForm) -> Sequence[Block]:
    return (
        text_input(Field("title", "Title"), initial=form.title, most=_TITLE),
        text_input(
            Field("what_failed", "What failed"),
            initial=form.what_failed,
            multiline=True,
            most=_WORDS,
        ),
        select_input(Field("severity", "Severity"), _SEVERITIES, initial=form.severity),
        text_input(Field("area", "Area"), initial=form.area, most=_AREA),
        person_input(Field("owner", "Owner"), INCIDENT_OWNER, initial=form.owner_id),
    )


def _rule(form: IncidentForm) -> Sequence[Block]:
    return (
        text_input(
            Field("rule", "Prevention rule", RULE_HINT),
            initial=form.rule,  # only what its author wrote into a draft; never words of ours
            multiline=True,
            most=_RULE,
        ),
        select_input(
            Field("enforcement", "Enforced by"),
            _ENFORCEMENTS,
            initial=form.enforcement or Enforcement.NONE.value,
        ),
        text_input(
            Field("enforcement_ref", "Reference", "The test, check or page.", optional=True),
            initial=form.enforcement_ref,
            most=_REFERENCE,
        ),
        text_input(
            Field(
                "why_linked",
                "How does the detail change what we do?",
                "The ledger links this file; the sentence says why it is worth reading.",
            ),
            initial=form.why_linked,
            most=_REFERENCE,
        ),
        *actions([button("Save draft", INCIDENT_SAVE_DRAFT, about="of this incident")]),
        context([["Still burning? The rule is then due in 24 h."]]),
    )


def _optional(form: IncidentForm) -> Sequence[Block]:
    return (
        number_input(
            Field("repeats", "Repeats lesson", "Its number, if it happened before.", optional=True),
            initial=form.repeats,
        ),
        text_input(
            Field(
                "enforcement_change",
                "What holds the rule better now",
                "Needed for a repeat: the old rule did not hold.",
                optional=True,
            ),
            initial=form.enforcement_change,
            most=_REFERENCE,
        ),
        *(
            text_input(
                Field(field, label, optional=True), initial=initial, multiline=True, most=_WORDS
            )
            for field, label, initial in (
                ("impact", "Impact", form.impact),
                ("root_cause", "Root cause", form.root_cause),
                ("fix", "Fix", form.fix),
            )
        ),
    )
