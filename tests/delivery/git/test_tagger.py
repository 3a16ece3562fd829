"""The audit log's head in git: one annotated tag a day, kept whatever the remote does with it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from faultbook.base.clock import DAY
from faultbook.delivery.git.tagger import HeadTagger
from faultbook.ledger.audit_tags import list_tags
from faultbook.ledger.repository import Repository
from faultbook.model.audit import AuditEntry
from faultbook.operations.auditing import read_head
from faultbook.store.engine import Store
from faultbook.store.transaction import Transaction
from tests.conftest import FrozenClock
from tests.delivery.git.conftest import GitBot
from tests.ledger.remotes import BareRemote, bots_clone, git

_TODAY, _TOMORROW = "2026-11-18", "2026-11-19"


def record(store: Store, number: int = 1) -> None:
    def append(tx: Transaction) -> None:
        tx.audited.append(AuditEntry("test", f"N-{number}", "Ana (UANA)", {"number": number}))

    store.write(append)


def tagger(bot: GitBot) -> HeadTagger:
    return HeadTagger(bot.store, bot.clone.repository)


def on_remote(remote: BareRemote) -> dict[str, str]:
    """Give the tags that are on the remote, with their words."""
    told = git(remote.path, "for-each-ref", "--format=%(refname) %(contents)", "refs/tags/")
    pairs = (line.split(" ", 1) for line in told.splitlines() if line)
    return {ref.removeprefix("refs/tags/"): words for ref, words in pairs}


def test_a_day_is_tagged_once_with_the_head(
    bot: GitBot, remote: BareRemote, clock: FrozenClock
) -> None:
    bot.fetch()
    tagger(bot).tag_due()
    assert on_remote(remote) == {}  # of an empty log there is nothing to say
    record(bot.store)
    first = bot.store.read(read_head)
    for _ in range(2):
        tagger(bot).tag_due()
    record(bot.store, 2)
    tagger(bot).tag_due()
    assert on_remote(remote) == {f"faultbook-audit/{_TODAY}": str(first)}
    clock.instant += DAY
    tagger(bot).tag_due()
    second = bot.store.read(read_head)
    assert on_remote(remote)[f"faultbook-audit/{_TOMORROW}"] == str(second)
    assert list_tags(bot.clone.repository) == {_TODAY: first, _TOMORROW: second}
    kind = git(remote.path, "cat-file", "-t", f"refs/tags/faultbook-audit/{_TODAY}").strip()
    assert kind == "tag"
    at = git(remote.path, "rev-parse", f"refs/tags/faultbook-audit/{_TODAY}^{{commit}}").strip()
    assert at == remote.head()


def test_of_two_replicas_one_tags_and_the_other_takes_its_tag_over(
    make_bot: Callable[[str], GitBot], remote: BareRemote
) -> None:
    one, other = make_bot("one"), make_bot("other")
    for number, bot in enumerate((one, other)):
        bot.fetch()
        record(bot.store, number)
        tagger(bot).tag_due()
    [words] = on_remote(remote).values()
    assert words == str(one.store.read(read_head))
    assert list_tags(other.clone.repository) == {_TODAY: one.store.read(read_head)}


def test_a_tag_that_lands_between_the_look_and_the_push_stays(
    make_bot: Callable[[str], GitBot], remote: BareRemote, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = make_bot("one"), make_bot("other")
    for number, bot in enumerate((one, other)):
        bot.fetch()
        record(bot.store, number)
    late = tagger(other)
    fetch = late._fetch
    looks: list[int] = []

    def look_then_be_outrun() -> None:
        fetch()
        if not looks:
            tagger(one).tag_due()
        looks.append(1)

    monkeypatch.setattr(late, "_fetch", look_then_be_outrun)
    late.tag_due()
    assert len(looks) == 2
    assert list(on_remote(remote).values()) == [str(one.store.read(read_head))]
    assert list_tags(other.clone.repository) == {_TODAY: one.store.read(read_head)}


def test_a_remote_that_is_away_is_tried_again(bot: GitBot, remote: BareRemote) -> None:
    bot.fetch()
    record(bot.store)
    due = tagger(bot)
    hidden = remote.path.with_name("hidden.git")
    remote.path.rename(hidden)
    due.tag_due()
    assert list_tags(bot.clone.repository) == {}
    hidden.rename(remote.path)
    due.tag_due()
    assert list(on_remote(remote)) == [f"faultbook-audit/{_TODAY}"]


def test_a_remote_that_takes_no_tags_is_asked_once_a_day(bot: GitBot, remote: BareRemote) -> None:
    bot.fetch()
    record(bot.store)
    asked = remote.path / "asked"
    remote.hook("update", f"echo x >> {asked}; echo 'tags are protected' >&2; exit 1")
    due = tagger(bot)
    for _ in range(3):
        due.tag_due()
    assert asked.read_text() == "x\n"
    assert list_tags(bot.clone.repository) == {}


def test_a_tag_that_was_moved_or_deleted_on_the_remote_stays_here(
    bot: GitBot, remote: BareRemote, clock: FrozenClock
) -> None:
    bot.fetch()
    record(bot.store)
    tagger(bot).tag_due()
    kept = list_tags(bot.clone.repository)
    name = f"faultbook-audit/{_TODAY}"
    person = remote.person()
    git(person.folder, "tag", "-f", "-a", "-m", f"1:{'e' * 64}", name)
    git(person.folder, "push", "-q", "-f", "origin", f"refs/tags/{name}")
    clock.instant += DAY
    tagger(bot).tag_due()
    assert list_tags(bot.clone.repository) == kept | {_TOMORROW: bot.store.read(read_head)}
    git(person.folder, "push", "-q", "origin", f":refs/tags/{name}")
    clock.instant += DAY
    bot.fetch()
    tagger(bot).tag_due()
    assert kept.items() <= list_tags(bot.clone.repository).items()


def test_peoples_tags_are_neither_fetched_nor_read(
    bot: GitBot, remote: BareRemote, tmp_path: Path
) -> None:
    person = remote.person()
    git(person.folder, "tag", "v1")
    git(person.folder, "tag", "-a", "-m", "not a head", "faultbook-audit/x")
    git(person.folder, "push", "-q", "--tags", "origin")
    bot.fetch()
    record(bot.store)
    tagger(bot).tag_due()
    assert list(list_tags(bot.clone.repository)) == [_TODAY]
    told = bot.clone.repository.git.run("for-each-ref", "--format=%(refname)", "refs/tags/")
    assert b"refs/tags/v1" not in told
    assert (tmp_path / "home").is_dir()


def test_an_authors_name_that_git_would_strip_makes_a_tag_all_the_same(
    bot: GitBot, remote: BareRemote, tmp_path: Path
) -> None:
    clone: Repository = bots_clone(tmp_path / "odd", remote, author_name="Fault <book>\n")
    with clone.lock():
        clone.fetch()
        record(bot.store)
        HeadTagger(bot.store, clone).tag_due()
    told = git(remote.path, "for-each-ref", "--format=%(taggername)", "refs/tags/")
    assert told.strip() == "Fault book"


def test_a_remote_without_a_branch_has_nothing_to_tag(bot: GitBot, tmp_path: Path) -> None:
    empty = BareRemote.make(tmp_path / "empty.git")
    clone = bots_clone(tmp_path / "second", empty)
    with clone.lock():
        clone.fetch()
        record(bot.store)
        HeadTagger(bot.store, clone).tag_due()
    assert on_remote(empty) == {}
