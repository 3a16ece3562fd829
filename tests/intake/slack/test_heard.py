"""Events are read by shape: what was said, changed and taken back; what is odd reads as nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultbook.intake.slack.heard import (
    Deleted,
    Edited,
    Event,
    Heard,
    HomeOpened,
    read_event,
)
from faultbook.intake.slack.payloads import Identity, Json, read_click, read_links, read_shortcut
from faultbook.model.task import TaskLink

ME = Identity("T1", "UBOT", "B1")
FILE = {
    "id": "F1",
    "name": "report.pdf",
    "permalink": "https://team.slack.com/files/U1/F1/report.pdf",
    "url_private": "https://files.slack.com/files-pri/T1-F1/report.pdf",
}


def read(**event: object) -> Event | None:
    inner = {"channel": "D1", "channel_type": "im", "event_ts": "9.9", **event}
    return read_event({"team_id": "T1", "event_id": "Ev1", "event": inner}, ME)


def changed(**message: object) -> Event | None:
    whole = {"type": "message", "user": "U1", "ts": "1.1", "text": "export all", **message}
    return read(type="message", subtype="message_changed", message=whole, ts="2.2", hidden=True)


def test_what_is_said_comes_with_its_files() -> None:
    heard = read(type="message", subtype="file_share", user="U1", ts="1.1", text="hi", files=[FILE])
    assert isinstance(heard, Heard)
    assert heard.links == (TaskLink("report.pdf", FILE["permalink"]),)
    assert heard.keys == ("event:T1:Ev1", "message:T1:D1:1.1")


def test_an_edit_names_the_message_and_the_moment() -> None:
    edit = changed(edited={"user": "U1", "ts": "2.2"})
    assert edit == Edited("T1", "D1", "U1", "1.1", "export all", "2.2")


def test_a_mention_that_comes_again_edited_is_an_edit() -> None:
    edited = {"user": "U1", "ts": "2.2"}
    edit = read(type="app_mention", user="U1", ts="1.1", text="<@UBOT> go", edited=edited)
    assert edit == Edited("T1", "D1", "U1", "1.1", "<@UBOT> go", "2.2")


@pytest.mark.parametrize(
    "message",
    [
        {},  # a link got its preview: nobody edited anything
        {"edited": {"ts": "2.2"}, "bot_id": "B1"},
        {"edited": {"ts": "2.2"}, "user": "UBOT"},
        {"edited": "2.2"},
        {"edited": {"ts": 2.2}},
    ],
)
def test_a_change_that_no_person_made_is_none(message: Json) -> None:
    assert changed(**message) is None


@pytest.mark.parametrize(
    "event",
    [
        {
            "subtype": "message_deleted",
            "deleted_ts": "1.1",
            "previous_message": {"user": "U1", "ts": "1.1"},
        },
        # With replies, such as a card, a stone stays in its place.
        {"subtype": "message_changed", "message": {"subtype": "tombstone", "ts": "1.1"}},
    ],
)
def test_a_deletion_names_the_message(event: Json) -> None:
    assert read(type="message", **event) == Deleted("T1", "D1", "1.1")


def test_the_bots_own_deletion_is_none() -> None:
    gone = {"user": "UBOT", "bot_id": "B1", "ts": "1.1"}
    event = {"subtype": "message_deleted", "deleted_ts": "1.1", "previous_message": gone}
    assert read(type="message", **event) is None


def test_home_says_where_its_person_can_be_answered() -> None:
    opened = read(type="app_home_opened", user="U1", tab="home")
    assert opened == HomeOpened("U1", "D1")


@pytest.mark.parametrize(
    "files", [None, "F1", {}, [None, "F1", 7], [{}], [{"name": "x"}], [{"permalink": 1}]]
)
def test_files_of_odd_shape_are_left_out(files: object) -> None:
    assert read_links({"files": files}) == ()


def test_a_shortcut_brings_the_message_with_its_files() -> None:
    message = {"ts": "1.1", "text": "look", "files": [FILE]}
    body = {
        "callback_id": "make_task",
        "team": {"id": "T1"},
        "user": {"id": "U1"},
        "channel": {"id": "C1"},
        "action_ts": "3.3",
        "message": message,
    }
    shortcut = read_shortcut(body, ME)
    assert (shortcut.click.message_ts, shortcut.click.thread_ts) == ("1.1", "1.1")
    assert shortcut.links[0].name == "report.pdf"
    assert shortcut.click.key == "click:T1:U1:make_task:3.3"


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["edited", "message", "previous_message", "files", "ts", "user", "text"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@given(
    kind=st.sampled_from(["message", "app_mention"]),
    subtype=st.sampled_from(["", "message_changed", "message_deleted", "file_share"]),
    parts=st.dictionaries(
        st.sampled_from(["message", "previous_message", "edited", "files", "thread_ts", "user"]),
        ODD,
    ),
)
def test_no_event_of_odd_shape_is_more_than_nothing(
    kind: str, subtype: str, parts: dict[str, object]
) -> None:
    found = read(type=kind, subtype=subtype, **parts)
    assert found is None or isinstance(found, Heard | Edited | Deleted)


def test_a_click_without_anything_in_it_is_still_a_click() -> None:
    assert read_click({}, ME).value == ""
