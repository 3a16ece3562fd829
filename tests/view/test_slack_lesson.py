"""Lessons as Slack shows them: found, reviewed, suggested, failed again."""

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from faultbook.model.lesson import Lesson
from faultbook.model.lesson_found import FoundLesson, LessonsFound
from faultbook.model.run import SeriesKey
from faultbook.view.message import Message
from faultbook.view.series_values import SuggestionValue, read_suggestion
from faultbook.view.slack_lesson import (
    edit_rule_form,
    lessons_message,
    noted_message,
    repeat_message,
    review_message,
    suggestion_message,
)
from tests.view.answers import AS_OF, november, outside_text
from tests.view.slack_rules import assert_message, assert_view, buttons

RULE = "The wrapper fails any export without its file"
LESSON = Lesson(14, "Export wrote nothing", "Wait", RULE, "exports", "incidents/x.md")
FOUND = FoundLesson(LESSON, 3, november(2, 9), "test", "2026-11-02")
RETIRED = FoundLesson(replace(LESSON, number=9, retired=True, superseded_by=14))
SERIES = SeriesKey("invoice-sync", "prod", "main")
VALUE = SuggestionValue("f1-ab", "019a94f0-0000-7000-8000-00007c1e90ab", SERIES)
ANY_LESSON = st.builds(
    FoundLesson,
    st.builds(
        Lesson,
        st.integers(1, 10**6),
        outside_text,
        outside_text,
        outside_text,
        retired=st.booleans(),
        superseded_by=st.none() | st.integers(1, 99),
    ),
    st.integers(0, 100),
    st.none() | st.integers(november(1, 0), AS_OF),
    st.none() | outside_text,
    st.none() | outside_text,
)


def shown(message: Message) -> list[str]:
    texts = [block.get("text") or block["elements"][0] for block in message.blocks]
    return [str(text["text"]) for text in texts if text.get("type") == "mrkdwn"]


def test_what_is_found_is_told_as_the_wording_says() -> None:
    message = lessons_message(LessonsFound("pdf missing", (FOUND, RETIRED)), AS_OF)
    assert_message(message)
    told = shown(message)
    assert told[0] == "2 lessons match `pdf missing`"
    assert told[1] == f"*14* {RULE}"
    assert told[2].startswith("Export wrote nothing · 3 repeats, last <!date^")
    assert told[2].endswith(" · test")
    assert told[3] == "*9* retired, see 14"


def test_nothing_found_and_nothing_asked_say_what_to_do() -> None:
    none = lessons_message(LessonsFound("zeppelin"), AS_OF)
    assert none.text == "No lesson matches zeppelin. Try fewer words."
    asked = lessons_message(LessonsFound(""), AS_OF)
    assert asked.text.startswith("Which failure?")
    assert_message(none)
    assert_message(asked)


def test_an_area_is_told_before_something_starts_there() -> None:
    message = review_message(LessonsFound("exports", (FOUND,) * 12, more=True), AS_OF)
    assert_message(message)
    assert shown(message)[0] == "*Read before you automate exports*: 12 lessons"
    unknown = review_message(LessonsFound("x", areas=("billing", "crm")), AS_OF)
    assert unknown.text == "No lesson is about x. Areas with lessons: billing, crm."
    assert_message(unknown)


def test_a_suggestion_is_a_question_with_one_row_of_answers() -> None:
    three = tuple(replace(FOUND, lesson=replace(LESSON, number=n)) for n in (14, 3, 22))
    message = suggestion_message("invoice-sync: no PDF was written", three, VALUE, AS_OF)
    assert_message(message, buttons_a_row=5)
    told = shown(message)
    assert told[0].startswith("*Possibly lesson 14, 3 or 22*")
    assert told[1:4] == [f"*{n}* {RULE}" for n in (14, 3, 22)]
    row = list(buttons(message.blocks))
    labels = [one["text"]["text"] for one in row]
    assert labels == ["Yes, 14", "Yes, 3", "Yes, 22", "No", "It is new"]
    assert len({one["action_id"] for one in row}) == 5
    assert [read_suggestion(one["value"]).lesson for one in row] == [14, 3, 22, None, None]


def test_a_repeat_is_said_loudly() -> None:
    found = replace(FOUND, repeats=2, enforcement="none")
    message = repeat_message(found, SERIES, AS_OF)
    assert_message(message)
    assert message.text == (
        f"The rule exists and it happened again. Lesson 14: “{RULE}”."
        " invoice-sync, Written 2 Nov 2026, enforced by none, third time."
        " The rule failed: make it stronger."
    )
    assert [one["text"]["text"] for one in buttons(message.blocks)] == [
        "Open incident",
        "Edit rule",
    ]


def test_a_date_that_a_person_wrote_oddly_is_left_out() -> None:
    odd = replace(FOUND, written_on="last week")
    assert "Written" not in repeat_message(odd, SERIES, AS_OF).text


def test_answers_are_noted() -> None:
    assert_message(noted_message(SERIES, is_new=False))
    assert_message(noted_message(SERIES, is_new=True))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(ANY_LESSON, min_size=1, max_size=12), outside_text)
def test_nothing_from_outside_is_live(lessons: list[FoundLesson], asked: str) -> None:
    found = LessonsFound(asked, tuple(lessons), more=True, areas=(asked,))
    assert_message(lessons_message(found, AS_OF))
    assert_message(review_message(found, AS_OF))
    assert_message(review_message(replace(found, lessons=()), AS_OF))
    series = SeriesKey(asked, asked, asked)
    assert_message(repeat_message(lessons[0], series, AS_OF))
    value = SuggestionValue("f1-ab", "run", series)
    assert_message(suggestion_message(asked, lessons[:3], value, AS_OF), buttons_a_row=5)
    assert_view(edit_rule_form(lessons[0], "[]"))
