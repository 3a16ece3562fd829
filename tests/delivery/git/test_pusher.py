"""Operations on their way to a real remote: in order, once, and never over a person's text."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from faultbook.base.errors import UnavailableError
from faultbook.delivery.git.clone import LedgerClone
from faultbook.ledger.repository import Pushed, Repository
from faultbook.ledger.table import read_ledger
from faultbook.model.ledger_operation import LedgerOperationState, LedgerVerb
from faultbook.operations.known_failures import list_unasked
from faultbook.operations.ledger import LedgerNotice, choose, read_queue
from tests.delivery.git.conftest import GitBot
from tests.ledger.remotes import HEADER, LEDGER, ROW, BareRemote, git
from tests.ledger.test_replay import INCIDENT

RULE = "The wrapper fails an export without a file"
THEIRS = "The importer counts its rows and refuses none (tests/test_import.py)"


def numbers(remote: BareRemote) -> list[int | None]:
    return [lesson.number for lesson in read_ledger(remote.read().encode()).lessons]


def test_operations_reach_main_in_order_each_in_a_commit_of_its_own(
    bot: GitBot, remote: BareRemote
) -> None:
    ids = [bot.owe_lesson(what) for what in ("one", "two", "three")]
    bot.push()
    assert [bot.state(one) for one in ids] == [LedgerOperationState.PUSHED] * 3
    assert numbers(remote) == [1, 2, 3, 4]
    assert remote.log("%s")[1:] == ["Add lesson 2: one", "Add lesson 3: two", "Add lesson 4: three"]
    trailers = "%(trailers:key=Ledger-Op,valueonly,separator=%x2C)"
    assert remote.log(trailers)[1:] == ids
    assert remote.log("%(trailers:key=Requested-by,valueonly,separator=%x2C)")[1] == "Ana (UANA)"
    assert remote.log("%(trailers:key=Ledger-Row,valueonly,separator=%x2C)")[1:] == ["2", "3", "4"]
    last = bot.operation(ids[2])
    assert last.result == {"commit": remote.head(), "number": 4}
    queue = bot.store.read(read_queue)
    assert (queue.waiting, queue.commit, queue.highest_number) == (0, remote.head(), 4)
    assert [lesson.number for lesson in bot.clone.snapshot.lessons] == [1, 2, 3, 4]


def test_an_incidents_failure_is_known_by_its_lesson_once_it_is_pushed(
    bot: GitBot, remote: BareRemote
) -> None:
    operation_id = bot.owe(LedgerVerb.OPEN_INCIDENT, **INCIDENT)
    bot.push()
    found = bot.operation(operation_id)
    assert found.result["number"] == 2
    assert found.result["path"] in git(remote.path, "ls-tree", "-r", "--name-only", "main")
    assert bot.store.read(list_unasked, ["f1:abc"]) == []


def test_a_persons_push_in_between_is_built_upon(bot: GitBot, remote: BareRemote) -> None:
    bot.fetch()
    person = remote.person()
    hand = ROW.replace("| 1 |", "| 2 |").replace(RULE, "Written by hand")
    person.push({LEDGER: HEADER + ROW + hand})
    operation_id = bot.owe_lesson("mine")
    bot.push()
    assert bot.operation(operation_id).result["number"] == 3
    assert remote.read().startswith(HEADER + ROW + hand)
    assert numbers(remote) == [1, 2, 3]


def test_a_number_that_was_taken_away_is_not_given_again(bot: GitBot, remote: BareRemote) -> None:
    bot.owe_lesson("one")
    bot.push()
    person = remote.person()
    person.pull()
    person.push({LEDGER: HEADER + ROW})
    bot.owe_lesson("two")
    bot.push()
    assert numbers(remote) == [1, 3]


def edit(bot: GitBot, text: str, expected: str = RULE) -> str:
    return bot.owe(LedgerVerb.SET_CELL, number=1, column="rule", expected=expected, text=text)


def test_a_cell_that_a_person_changed_stays_until_someone_chooses(
    bot: GitBot, remote: BareRemote
) -> None:
    bot.fetch()  # so that the bot believes in the old text
    remote.person().push({LEDGER: HEADER + ROW.replace(RULE, THEIRS)})
    operation_id, after = edit(bot, "Mine"), bot.owe_lesson("after it")
    bot.push()
    found = bot.operation(operation_id)
    assert found.state is LedgerOperationState.CONFLICT
    assert (found.result["theirs"], found.result["mine"]) == (THEIRS, "Mine")
    assert f"| {THEIRS} |" in remote.read()
    assert bot.state(after) is LedgerOperationState.PUSHED  # nobody waits for the choice
    assert [kind for kind, _ in bot.said()] == [LedgerNotice.CONFLICT, LedgerNotice.SETTLED]
    bot.store.write(choose, operation_id, "apply_mine", "UANA", "Ana")
    bot.push()
    assert bot.state(operation_id) is LedgerOperationState.PUSHED
    assert "| Mine |" in remote.read()


def test_a_stale_view_never_makes_a_conflict(bot: GitBot, remote: BareRemote) -> None:
    bot.fetch()
    remote.person().push({LEDGER: HEADER + ROW.replace(RULE, THEIRS)})
    operation_id = edit(bot, "Mine", expected=THEIRS)  # asked for by who saw the new text
    bot.push()
    assert bot.state(operation_id) is LedgerOperationState.PUSHED
    assert "| Mine |" in remote.read()


def test_an_edit_upon_an_edit_that_is_not_pushed_yet_is_no_conflict(
    bot: GitBot, remote: BareRemote
) -> None:
    first, second = edit(bot, "A second rule"), edit(bot, "A third rule", expected="A second rule")
    bot.push()
    assert bot.state(first) is bot.state(second) is LedgerOperationState.PUSHED
    assert "| A third rule |" in remote.read()


def test_what_is_so_already_is_settled_without_a_commit(bot: GitBot, remote: BareRemote) -> None:
    before = remote.head()
    operation_id = edit(bot, RULE)
    bot.push()
    assert bot.state(operation_id) is LedgerOperationState.PUSHED
    assert remote.head() == before


def test_what_breaks_a_rule_is_refused_and_holds_up_nobody(bot: GitBot, remote: BareRemote) -> None:
    bad = bot.owe(LedgerVerb.OPEN_INCIDENT, **(INCIDENT | {"prevention_rule": "be careful"}))
    good = bot.owe_lesson("good")
    bot.push()
    assert bot.state(bad) is LedgerOperationState.REFUSED
    assert bot.operation(bad).result["code"] == "rule_vacuous"
    assert bot.state(good) is LedgerOperationState.PUSHED
    assert numbers(remote) == [1, 2]


def test_a_bug_in_one_operation_holds_up_nobody(
    bot: GitBot, remote: BareRemote, caplog: pytest.LogCaptureFixture
) -> None:
    odd = bot.owe(LedgerVerb.SET_CELL, column="rule")  # a payload that no door makes
    good = bot.owe_lesson("good")
    bot.push()
    del caplog
    assert bot.state(odd) is LedgerOperationState.REFUSED
    assert bot.operation(odd).result["code"] == "internal_error"
    assert bot.state(good) is LedgerOperationState.PUSHED
    assert numbers(remote) == [1, 2]


def test_a_remote_that_is_away_lets_operations_wait_and_says_so_once(
    bot: GitBot, remote: BareRemote
) -> None:
    bot.fetch()
    hidden = remote.path.with_name("hidden.git")
    remote.path.rename(hidden)
    ids = [bot.owe_lesson(what) for what in ("one", "two")]
    for _ in range(3):
        bot.push()
        bot.later(100)
    queue = bot.store.read(read_queue)
    assert (queue.waiting, queue.error.partition(":")[0]) == (2, "git's remote is not there")
    assert [kind for kind, _ in bot.said()] == [LedgerNotice.WAITING] * 2
    hidden.rename(remote.path)
    bot.push()
    assert [bot.state(one) for one in ids] == [LedgerOperationState.PUSHED] * 2
    assert numbers(remote) == [1, 2, 3]
    assert bot.store.read(read_queue).error == ""


def test_a_ledger_that_a_person_broke_lets_operations_wait_until_it_is_mended(
    bot: GitBot, remote: BareRemote
) -> None:
    person = remote.person()
    person.push({LEDGER: "All gone\n"})
    operation_id = bot.owe_lesson("one")
    bot.push()
    assert bot.state(operation_id) is LedgerOperationState.WAITING
    assert "lessons/_ledger.md can't be edited" in bot.store.read(read_queue).error
    person.push({LEDGER: HEADER + ROW})
    bot.later(100)
    bot.push()
    assert bot.state(operation_id) is LedgerOperationState.PUSHED


def test_a_protected_main_gets_a_branch_each_with_its_own_number(
    bot: GitBot, remote: BareRemote
) -> None:
    remote.protect()
    ids = [bot.owe_lesson("one"), bot.owe_lesson("two"), edit(bot, "A better rule")]
    bot.push()
    assert [bot.state(one) for one in ids] == [LedgerOperationState.ON_BRANCH] * 3
    own = f"faultbook/{ids[2][-8:]}"
    assert sorted(remote.branches()) == sorted(["faultbook/2", "faultbook/3", own, "main"])
    assert bot.operation(ids[0]).result["branch"] == "faultbook/2"
    assert "| 2 | one |" in remote.read(branch="faultbook/2")
    assert "| 3 | two |" in remote.read(branch="faultbook/3")
    assert numbers(remote) == [1]
    assert [payload["operation"] for _, payload in bot.said()] == ids


def test_a_branch_that_a_person_merged_is_settled_and_said(bot: GitBot, remote: BareRemote) -> None:
    remote.protect()
    operation_id = bot.owe_lesson("one")
    bot.push()
    remote.hook("pre-receive", "")
    person = remote.person()
    git(person.folder, "fetch", "-q", "origin")
    git(person.folder, "merge", "-q", "--no-ff", "-m", "Merge", "origin/faultbook/2")
    git(person.folder, "push", "-q", "origin", "HEAD:main")
    bot.fetch()
    assert bot.state(operation_id) is LedgerOperationState.PUSHED
    assert [kind for kind, _ in bot.said()] == [LedgerNotice.SETTLED] * 2


def test_a_remote_that_takes_no_branch_either_refuses(bot: GitBot, remote: BareRemote) -> None:
    remote.hook("pre-receive", "echo read-only for bots >&2; exit 1")
    operation_id = bot.owe_lesson("one")
    bot.push()
    found = bot.operation(operation_id)
    assert found.state is LedgerOperationState.REFUSED
    assert "read-only for bots" in found.error


def test_one_commit_that_a_hook_declines_takes_no_other_with_it(
    bot: GitBot, remote: BareRemote
) -> None:
    remote.hook(
        "update",
        'case "$1" in refs/heads/main) ! git log --format=%s "$2..$3" | grep -q forbidden;;'
        " *) exit 0;; esac",
    )
    ids = [bot.owe_lesson(what) for what in ("fine", "forbidden", "good")]
    bot.push()
    assert [bot.state(one).value for one in ids] == ["pushed", "on_branch", "pushed"]
    assert numbers(remote) == [1, 2, 4]  # 3 is on its branch


def test_a_lock_that_was_left_behind_on_the_remote_is_said_and_not_fought_for_ever(
    bot: GitBot, remote: BareRemote
) -> None:
    lock = remote.path / "refs/heads/main.lock"
    lock.touch()
    operation_id = bot.owe_lesson("one")
    bot.push()
    assert bot.state(operation_id) is LedgerOperationState.WAITING
    assert bot.store.read(read_queue).error.startswith("git's remote can't take a push now")
    lock.unlink()
    bot.later(100)
    bot.push()
    assert bot.state(operation_id) is LedgerOperationState.PUSHED
    assert numbers(remote) == [1, 2]


def test_a_ledger_that_was_mended_meanwhile_makes_nobody_wait(
    bot: GitBot, remote: BareRemote
) -> None:
    person = remote.person()
    person.push({LEDGER: "All gone\n"})
    bot.fetch()
    person.push({LEDGER: HEADER + ROW})
    operation_id = bot.owe_lesson("one")
    bot.push()
    assert bot.state(operation_id) is LedgerOperationState.PUSHED
    assert LedgerNotice.WAITING not in [kind for kind, _ in bot.said()]


class _KilledError(BaseException):
    """Stands for the end of the process: nothing after it runs."""


def crash_at(monkeypatch: pytest.MonkeyPatch, owner: type, name: str, *, after: bool) -> None:
    method = getattr(owner, name)

    def wrapped(*args: object, **kwargs: object) -> object:
        if after:
            method(*args, **kwargs)
        raise _KilledError

    monkeypatch.setattr(owner, name, wrapped)


@pytest.mark.parametrize(
    ("owner", "name", "after", "landed"),
    [
        (LedgerClone, "ground", False, False),
        (Repository, "commit", True, False),
        (Repository, "push", False, False),
        (Repository, "push", True, True),
    ],
)
def test_a_crash_at_any_step_is_mended_by_the_next_bot(
    make_bot: Callable[[str], GitBot],
    remote: BareRemote,
    monkeypatch: pytest.MonkeyPatch,
    owner: type,
    name: str,
    after: bool,  # noqa: FBT001 - a table
    landed: bool,  # noqa: FBT001 - a table
) -> None:
    first = make_bot("home")
    operation_id = first.owe_lesson("one")
    with monkeypatch.context() as patch:
        crash_at(patch, owner, name, after=after)
        with pytest.raises(_KilledError):
            first.push()
    assert (numbers(remote) == [1, 2]) == landed
    assert first.state(operation_id) is LedgerOperationState.WAITING
    first.crash()
    second = make_bot("home")
    second.push()
    assert second.state(operation_id) is LedgerOperationState.PUSHED
    assert numbers(remote) == [1, 2]
    assert [kind for kind, _ in second.said()] == [LedgerNotice.SETTLED]
    assert second.operation(operation_id).result == {"commit": remote.head(), "number": 2}


def test_a_push_whose_reply_was_lost_is_recognised_on_main_and_on_a_branch(
    bot: GitBot, remote: BareRemote, monkeypatch: pytest.MonkeyPatch
) -> None:
    push = Repository.push

    def lost(self: Repository, commit: str, branch: str, expected: str | None) -> Pushed:
        pushed = push(self, commit, branch, expected)
        if branch.startswith("faultbook/") or not protected:
            raise UnavailableError("git doesn't answer")
        return pushed

    ids = []
    for protected in (False, True):
        if protected:
            remote.protect()
        ids.append(bot.owe_lesson(f"protected {protected}"))
        with monkeypatch.context() as patch:
            patch.setattr(Repository, "push", lost)
            bot.push()
        bot.later(100)
        bot.push()
    assert [bot.state(one).value for one in ids] == ["pushed", "on_branch"]
    assert bot.operation(ids[1]).result["branch"] == "faultbook/3"
    assert numbers(remote) == [1, 2]
    assert sorted(remote.branches()) == ["faultbook/3", "main"]


def test_a_bot_that_was_too_slow_does_not_push_twice(
    make_bot: Callable[[str], GitBot], remote: BareRemote, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = make_bot("home")
    operation_id = slow.owe_lesson("one")
    push = Repository.push

    def outrun(self: Repository, commit: str, branch: str, expected: str | None) -> Pushed:
        monkeypatch.setattr(Repository, "push", push)
        slow.crash()  # its claim ran out while it was at work
        other = GitBot.make(Path(remote.path.parent / "other-home"), remote, slow.clock, "host/2/b")
        other.store.close()
        other.store = slow.store
        other.clone._store = slow.store
        other.pusher._store = slow.store
        other.push()
        return push(self, commit, branch, expected)

    monkeypatch.setattr(Repository, "push", outrun)
    slow.push()
    assert numbers(remote) == [1, 2]
    assert slow.state(operation_id) is LedgerOperationState.PUSHED
    assert [kind for kind, _ in slow.said()] == [LedgerNotice.SETTLED]


def test_a_clone_that_was_damaged_under_way_is_made_again(bot: GitBot, remote: BareRemote) -> None:
    bot.fetch()
    [folder] = Path(bot.clone.repository.git.folder).parent.glob("*.git")
    subprocess.run(["rm", "-r", str(folder / "objects")], check=True)
    operation_id = bot.owe_lesson("one")
    for _ in range(3):
        bot.push()
        bot.later(100)
    assert bot.state(operation_id) is LedgerOperationState.PUSHED
    assert numbers(remote) == [1, 2]
