"""Lessons in Slack: found by words, read before an automation starts, suggested, failed again."""

from collections.abc import Sequence
from datetime import UTC, datetime

from faultbook.base.clock import Instant, from_datetime
from faultbook.model.lesson_found import FoundLesson, LessonsFound
from faultbook.model.run import SeriesKey
from faultbook.view.actions import (
    INCIDENT_OPEN,
    LESSON_EDIT,
    LESSON_EDIT_FORM,
    LESSON_NEW,
    LESSON_NO,
    LESSON_YES,
)
from faultbook.view.lines import (
    DOT,
    Bold,
    Code,
    Line,
    Moment,
    Span,
    join,
    name,
    strong,
    utc,
    words,
)
from faultbook.view.message import Block, Message
from faultbook.view.series_values import SuggestionValue, write_series, write_suggestion
from faultbook.view.slack_blocks import actions, button, context, modal, plain_text, section
from faultbook.view.slack_incident_form import RULE_HINT
from faultbook.view.slack_inputs import Field, text_input
from faultbook.view.slack_words import coded, note_message
from faultbook.view.spoken import spoken_text

SHOWN = 5
REVIEWED = 12
_RULE = 450
_RULE_IN_REVIEW = 300
_WHAT = 120
_ORDINALS = ("", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")


def lessons_message(found: LessonsFound, now: Instant) -> Message:
    """Answer a search of the ledger."""
    if not found.asked:
        return _ask_for_words()
    if not found.lessons:
        line: Line = ["No lesson matches ", Code(name(found.asked)), ". Try fewer words."]
        return note_message(line)
    shown = found.lessons[:SHOWN]
    count = len(shown)
    matching = "1 lesson matches " if count == 1 else f"{count} lessons match "
    head: Line = [matching, Code(name(found.asked))]
    blocks: list[Block] = [section([head])]
    told: list[Line] = []
    for one in shown:
        title, small = rule_line(one, _RULE), _record(one)
        blocks += [section([title]), context([small])]
        told.append([*title, ". ", *small])
    tail: list[Line] = [["More match: add a word."]] if found.more else []
    blocks += [context(tail)] if tail else []
    return Message(spoken_text([head], told, tail, now), blocks)


def _ask_for_words() -> Message:
    line: Line = [
        "Which failure? Say a few words of it: ",
        Code("/faultbook lesson pdf missing"),
        " or ",
        Code("have we seen pdf missing before?"),
    ]
    return note_message(line)


def review_message(found: LessonsFound, now: Instant) -> Message:
    """Show the lessons of an area, to be read before a new automation starts there."""
    if not found.lessons:
        return _no_lessons_there(found, now)
    shown = found.lessons[:REVIEWED]
    lessons = "1 lesson" if len(shown) == 1 else f"{len(shown)} lessons"
    head: Line = [Bold(f"Read before you automate {name(found.asked)}"), f": {lessons}"]
    told = [rule_line(one, _RULE_IN_REVIEW) for one in shown]
    small = [_record(one) for one in shown]
    blocks = [section([head])]
    blocks += [section([rule, record]) for rule, record in zip(told, small, strict=True)]
    tail: list[Line] = []
    if found.more:
        tail.append(["There are more: ", Code("faultbook ledger review"), " shows all."])
    blocks += [context(tail)] if tail else []
    body = [[*rule, ". ", *record] for rule, record in zip(told, small, strict=True)]
    return Message(spoken_text([head], body, tail, now), blocks)


def _no_lessons_there(found: LessonsFound, now: Instant) -> Message:
    if not found.asked:
        line: Line = ["Which area? Say ", Code("/faultbook review billing"), "."]
    else:
        line = ["No lesson is about ", Code(name(found.asked)), "."]
    areas = join(([Code(name(area))] for area in found.areas[:10]), [", "])
    lines = [line, ["Areas with lessons: ", *areas]] if areas else [line]
    return Message(spoken_text(lines, (), (), now), [section(lines)])


def rule_line(found: FoundLesson, length: int) -> Line:
    """Name a lesson with its rule; of a retired one, what took its place."""
    lesson = found.lesson
    number = Bold(str(lesson.number) if lesson.number is not None else "new")
    if lesson.retired:
        see = f", see {lesson.superseded_by}" if lesson.superseded_by is not None else ""
        return [number, f" retired{see}"]
    return [number, " ", *coded(lesson.rule, length)]


def _record(found: FoundLesson) -> Line:
    """Say in small print what failed, how often again, and what holds the rule."""
    parts: list[Line] = [[words(found.lesson.what_failed, _WHAT) or "(what failed is not said)"]]
    if found.repeats:
        times = "1 repeat" if found.repeats == 1 else f"{found.repeats} repeats"
        last: Line = [", last ", Moment(found.last_at)] if found.last_at is not None else []
        parts.append([times, *last])
    if found.enforcement:
        parts.append([name(found.enforcement)])
    return join(parts)


def suggestion_message(
    what: str, candidates: Sequence[FoundLesson], value: SuggestionValue, now: Instant
) -> Message:
    """Ask once whether a new failure is one that a lesson knows; `what` names the failure."""
    numbers = [str(one.lesson.number) for one in candidates]
    head: Line = [
        *strong(f"Possibly lesson {_either(numbers)}"),
        f": {name(what, 120)}. Is it?",
    ]
    rules = [rule_line(one, _RULE_IN_REVIEW) for one in candidates]
    answers = [
        button(
            f"Yes, {one.lesson.number}",
            f"{LESSON_YES}.{place}",
            write_suggestion(_saying(value, one.lesson.number)),
            about=f"it is lesson {one.lesson.number}",
        )
        for place, one in enumerate(candidates)
    ]
    answers.append(button("No", LESSON_NO, write_suggestion(value), about="it is none of these"))
    answers.append(button("It is new", LESSON_NEW, write_suggestion(value)))
    # One row of its own kind: three lessons and two ways to say no.
    row: Block = {"type": "actions", "elements": answers}
    blocks = [section([head]), *(section([rule]) for rule in rules), row]
    return Message(spoken_text([head], rules, (), now), blocks)


def _saying(value: SuggestionValue, lesson: int | None) -> SuggestionValue:
    return SuggestionValue(value.fingerprint, value.run_id, value.series, lesson)


def _either(numbers: Sequence[str]) -> str:
    if len(numbers) == 1:
        return numbers[0]
    return f"{', '.join(numbers[:-1])} or {numbers[-1]}"


def noted_message(series: SeriesKey, *, is_new: bool) -> Message:
    """Tell who answered that it is noted; a new failure asks for a lesson of its own."""
    if not is_new:
        line: Line = ["Noted: it is none of these. I won't suggest them for it again."]
        return note_message(line)
    line = ["Noted: it is new. Its lesson is learned once it has a rule."]
    offered = button("Open incident", INCIDENT_OPEN, write_series(series))
    return Message(spoken_text([line], (), (), 0), [section([line]), *actions([offered])])


def repeat_message(found: FoundLesson, series: SeriesKey, now: Instant) -> Message:
    """Say loudly that a failure came again although its rule existed."""
    lesson = found.lesson
    head: Line = [
        Bold("The rule exists and it happened again."),
        f" Lesson {lesson.number}: “",
        *coded(lesson.rule, _RULE_IN_REVIEW),
        "”",
    ]
    held = f"enforced by {name(found.enforcement or 'none')}"
    facts: Line = join(
        (
            [name(series.workflow)],
            [*_written(found), held, f", {_time(found.repeats + 1)} time"],
        ),
        DOT,
    )
    tail: Line = ["The rule failed: make it stronger."]
    buttons = [
        button("Open incident", INCIDENT_OPEN, write_series(series)),
        button("Edit rule", LESSON_EDIT, str(lesson.number), about=f"of lesson {lesson.number}"),
    ]
    blocks = [section([head]), section([[*facts, ". ", *tail]]), *actions(buttons)]
    return Message(spoken_text([head], [facts], [tail], now), blocks)


def _written(found: FoundLesson) -> list[Span]:
    if not found.written_on:
        return []
    try:
        day = datetime.strptime(found.written_on, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return []  # a person's file may say anything
    return [f"Written {utc(from_datetime(day)).rsplit(' ', 1)[0]}, "]


def _time(count: int) -> str:
    return _ORDINALS[count] if count < len(_ORDINALS) else f"{count}th"


def edit_rule_form(found: FoundLesson, metadata: str) -> Block:
    """Show a lesson's rule, and ask for a stronger one."""
    lesson = found.lesson
    lines: list[Line] = [
        [Bold(f"Lesson {lesson.number}"), f": {words(lesson.what_failed, _WHAT)}"],
        ["The rule now: ", *coded(lesson.rule, _RULE)],
    ]
    field = Field("rule", "One-rule lesson", RULE_HINT)
    view = modal(
        "Edit rule",
        [section(lines), text_input(field, initial=lesson.rule, multiline=True, most=500)],
        callback_id=LESSON_EDIT_FORM,
        metadata=metadata,
    )
    return view | {
        "submit": plain_text("Save rule", 24),
        "close": plain_text("Cancel", 24),
    }
