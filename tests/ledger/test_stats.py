"""The ledger counted."""

from datetime import UTC, datetime

from faultbook.ledger.stats import count_ledger
from faultbook.model.incident import Enforcement, IncidentFields, Severity
from faultbook.model.lesson import Lesson

DAY_END = int(datetime(2026, 11, 19, tzinfo=UTC).timestamp())


def lesson(number: int | None, area: str | None = None, *, retired: bool = False) -> Lesson:
    return Lesson(number, "what", "fix", f"rule {number}", area=area, retired=retired)


def incident(
    number: int | None, enforcement: Enforcement = Enforcement.NONE, date: str = "2026-11-18"
) -> IncidentFields:
    return IncidentFields(
        title="t", date=date, severity=Severity.LOW, area="ci", owner="Ana", prevention_rule="r",
        rule_author="Ana", what_failed="w", enforcement=enforcement, lesson=number,
    )  # fmt: skip


def test_areas_are_counted_the_largest_first_retired_apart() -> None:
    rows = [lesson(1, "ci"), lesson(2, "ci"), lesson(3, "ci", retired=True), lesson(4), lesson(5)]
    told = count_ledger([*rows, lesson(6, "api")], {}, {}, {}, lambda _rule: False)
    assert (told.lessons, told.in_force, told.retired) == (6, 5, 1)
    assert [(area.area, area.in_force, area.retired) for area in told.areas] == [
        ("ci", 2, 1), (None, 2, 0), ("api", 1, 0),
    ]  # fmt: skip


def test_a_repeat_is_a_second_incident_of_a_lesson_or_one_that_the_bot_counted() -> None:
    files = {"a": incident(1), "b": incident(1), "c": incident(1), "d": incident(2)}
    told = count_ledger([], files, {}, {1: 1, 2: 4, 3: 0}, lambda _rule: False)
    assert list(told.repeats.items()) == [(2, 4), (1, 2)]


def test_a_rule_is_in_time_within_a_day_after_the_incidents_day() -> None:
    files = {name: incident(1) for name in ("soon", "just", "late", "open")}
    files["odd"] = incident(1, date="some day")
    hour = 3600
    times = {"soon": DAY_END - 20 * hour, "just": DAY_END + 24 * hour, "late": DAY_END + 25 * hour}
    told = count_ledger([], files, times, {}, lambda _rule: False)
    assert [(lag.path, lag.seconds, lag.in_time) for lag in told.lags] == [
        ("just", 24 * hour, True),
        ("late", 25 * hour, False),
        ("open", None, False),
        ("soon", 0, True),
    ]


def test_rules_in_force_are_held_by_the_strongest_that_an_incident_names() -> None:
    rows = [lesson(1), lesson(2), lesson(3), lesson(4), lesson(5, retired=True), lesson(None)]
    files = {
        "a": incident(1, Enforcement.DOC),
        "b": incident(1, Enforcement.GATE),
        "c": incident(2, Enforcement.CHECK),
        "d": incident(5, Enforcement.TEST),
    }
    told = count_ledger(rows, files, {}, {}, lambda rule: rule in {"rule 2", "rule 3"})
    assert told.enforcement == {
        Enforcement.CHECK: 1,
        Enforcement.TEST: 1,
        Enforcement.GATE: 1,
        None: 2,
    }
    assert told.held == 2
