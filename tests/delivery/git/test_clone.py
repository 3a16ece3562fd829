"""What a fetch brings to light: people's edits, their new rows, and the problems they pushed."""

from collections.abc import Callable
from typing import Any

from faultbook.ledger.table import read_ledger
from faultbook.model.ledger_operation import LedgerOperationState, LedgerVerb
from faultbook.operations.known_failures import read_failure
from faultbook.operations.ledger import LedgerNotice, read_queue
from faultbook.operations.questions import read_reply_to
from faultbook.store import ledger
from tests.delivery.git.conftest import GitBot
from tests.ledger.remotes import HEADER, LEDGER, ROW, BareRemote, git
from tests.ledger.test_replay import INCIDENT

RULE = "A nightly job counts the invoices and pages at zero (jobs.toml)"


def row(number: str, rule: str = RULE) -> str:
    return f"| {number} | Invoices were missing | Sent again | {rule} |\n"


def findings(bot: GitBot) -> list[dict[str, Any]]:
    return [payload for kind, payload in bot.said() if kind == LedgerNotice.FINDING]


def test_what_people_pushed_is_in_the_next_snapshot(bot: GitBot, remote: BareRemote) -> None:
    bot.fetch()
    before = bot.clone.snapshot
    assert [lesson.number for lesson in before.lessons] == [1]
    remote.person().push({LEDGER: HEADER + ROW + row("2")})
    bot.fetch()
    after = bot.clone.snapshot
    assert (after.commit, [lesson.number for lesson in after.lessons]) == (remote.head(), [1, 2])
    assert [match.lesson.number for match in after.index.search("invoices")] == [2]
    assert [lesson.number for lesson in before.lessons] == [1]  # what was handed out stays


def test_a_row_without_an_area_has_that_of_its_incident(bot: GitBot) -> None:
    bot.owe(LedgerVerb.OPEN_INCIDENT, **INCIDENT)
    bot.push()
    lesson = bot.clone.snapshot.lesson(2)
    assert lesson is not None
    assert lesson.area == "billing"
    assert [one.fields.title for one in bot.clone.snapshot.incidents.values()] == [
        INCIDENT["title"]
    ]


def test_an_empty_database_learns_failures_from_the_incident_files(
    bot: GitBot, remote: BareRemote
) -> None:
    known = "f1-0123456789abcdef0123"
    person = remote.person()
    person.push({"lessons/incidents/2026-11-01-a.md": _incident(known, 1)})
    bot.fetch()
    found = bot.store.read(read_failure, known)
    assert found is not None
    assert (found.lesson, found.incident) == (1, "lessons/incidents/2026-11-01-a.md")
    linked_at = found.answered_at
    bot.clock.advance(60)
    person.push({"notes.md": "another commit\n"})
    bot.fetch()
    again = bot.store.read(read_failure, known)
    assert again is not None
    assert again.answered_at == linked_at


def _incident(fingerprint: str, lesson: int) -> str:
    return (
        "---\ntitle: The export wrote no PDF\ndate: 2026-11-01\nseverity: high\narea: billing\n"
        "owner: Ana\nprevention_rule: The wrapper fails any export without report.pdf\n"
        f"rule_author: Ana\nlesson: {lesson}\nstatus: open\nfingerprint: {fingerprint}\n---\n"
        "\n## What failed\n\nNo PDF.\n"
    )


def test_a_teams_own_template_is_used(bot: GitBot, remote: BareRemote) -> None:
    own = bot.clone.options.template.replace("# {{ title", "# Ours: {{ title")
    remote.person().push({"templates/incident.md": own})
    operation_id = bot.owe(LedgerVerb.OPEN_INCIDENT, **INCIDENT)
    bot.push()
    path = bot.operation(operation_id).result["path"]
    assert "# Ours: invoice-sync" in remote.read(path)


def test_rows_that_people_left_as_new_get_their_numbers_once(
    make_bot: Callable[[str], GitBot], remote: BareRemote
) -> None:
    first, second = make_bot("one"), make_bot("two")
    remote.person().push({LEDGER: HEADER + ROW + row("new") + row("new", "A second " + RULE)})
    for bot in (first, second):
        bot.fetch()
    first.push()
    second.push()  # it owed the same, and finds that all is done
    numbers = [lesson.number for lesson in read_ledger(remote.read().encode()).lessons]
    assert numbers == [1, 2, 3]
    assert remote.log()[2:] == ["Number new lessons: 2, 3"]
    assert second.store.read(read_queue).waiting == 0
    assert [kind for kind, _ in first.said() + second.said()] == []


def test_a_number_is_given_above_those_that_wait_on_branches(
    bot: GitBot, remote: BareRemote
) -> None:
    remote.protect()
    bot.owe_lesson("on a branch")
    bot.push()
    remote.hook("pre-receive", "")
    remote.person().push({LEDGER: HEADER + ROW + row("new")})
    bot.fetch()
    bot.push()
    numbers = [lesson.number for lesson in read_ledger(remote.read().encode()).lessons]
    assert numbers == [1, 3]


def test_rows_on_a_protected_main_get_one_branch_with_their_numbers(
    bot: GitBot, remote: BareRemote
) -> None:
    person = remote.person()
    for text in (row("new"), row("new") + "\nMore.\n"):
        remote.hook("pre-receive", "exit 0")
        person.push({LEDGER: HEADER + ROW + text})
        remote.protect()
        bot.fetch()
        bot.push()
    [branch] = [name for name in remote.branches() if name != "main"]
    assert "| 2 |" in remote.read(branch=branch)


def test_a_broken_push_is_said_once_with_its_line_and_who_pushed_it(
    make_bot: Callable[[str], GitBot], bot: GitBot, remote: BareRemote
) -> None:
    bot.fetch()
    person = remote.person()
    person.push({LEDGER: HEADER + ROW + row("2", "")})
    bot.fetch()
    [said] = findings(bot)
    [finding] = said["findings"]
    assert (finding["path"], finding["line"], finding["who"]) == (LEDGER, 4, "Ben")
    assert finding["message"]
    assert finding["next_step"]
    assert (said["commit"], read_reply_to(said).channel) == (remote.head(), "COPS")
    person.push({"README.md": "Something else\n"})
    bot.fetch()
    make_bot("home").fetch()  # a bot that was started again
    assert len(findings(bot)) == 1


def test_an_incident_that_was_pushed_without_a_rule_is_said(
    bot: GitBot, remote: BareRemote
) -> None:
    operation_id = bot.owe(LedgerVerb.OPEN_INCIDENT, **INCIDENT)
    bot.push()
    person = remote.person()
    person.pull()
    path = bot.operation(operation_id).result["path"]
    told = person.read(path).replace(INCIDENT["prevention_rule"], "")
    person.push({path: told})
    bot.fetch()
    [said] = findings(bot)
    codes = {(finding["path"], finding["code"]) for finding in said["findings"]}
    assert (path, "rule-missing") in codes


def test_what_was_wrong_before_the_bot_came_is_not_said(bot: GitBot, remote: BareRemote) -> None:
    remote.person().push({LEDGER: HEADER + ROW + row("2", "")})
    bot.fetch()
    assert findings(bot) == []


def test_the_bots_own_commits_are_never_found_fault_with(bot: GitBot, remote: BareRemote) -> None:
    remote.person().push({LEDGER: HEADER + ROW + row("2", "")})
    bot.fetch()
    bot.owe_lesson("one")
    bot.push()
    other = bot.store.read(ledger.read_head, bot.clone.repository.name)
    assert other == (remote.head(), 3)
    bot.clone.known = False
    bot.fetch()
    assert findings(bot) == []


def test_a_main_that_was_rewritten_is_taken_as_it_is_now(bot: GitBot, remote: BareRemote) -> None:
    first = remote.head()
    operation_id = bot.owe_lesson("one")
    bot.push()
    git(remote.path, "update-ref", "refs/heads/main", first)
    bot.fetch()
    assert [lesson.number for lesson in bot.clone.snapshot.lessons] == [1]
    bot.owe_lesson("two")
    bot.push()
    assert [lesson.number for lesson in bot.clone.snapshot.lessons] == [1, 3]
    assert bot.state(operation_id) is LedgerOperationState.PUSHED


def test_an_empty_remote_lets_operations_wait_for_a_ledger(bot: GitBot, remote: BareRemote) -> None:
    git(remote.path, "update-ref", "-d", "refs/heads/main")
    operation_id = bot.owe_lesson("one")
    bot.push()
    assert bot.state(operation_id) is LedgerOperationState.WAITING
    assert "There is no lessons/_ledger.md" in bot.store.read(read_queue).error
    assert bot.clone.snapshot.commit is None
    assert bot.clone.snapshot.lessons == ()
