"""Files given as evidence: read from Slack's own hosts only, whatever a payload says."""

import pytest

from faultbook.intake.slack.payloads import Json
from faultbook.intake.slack.task_files import is_slacks_own, read_sent_files
from faultbook.intake.slack.task_messages import task_text

SLACK = "https://slack.com/api/"
LOCAL = "http://127.0.0.1:8700/api/"


@pytest.mark.parametrize(
    ("url", "api", "own"),
    [
        ("https://files.slack.com/files-pri/T1-F1/download/a.pdf", SLACK, True),
        ("https://files.slack.com:443/files-pri/T1-F1/a.pdf", SLACK, True),
        ("https://slack.com/files/a.pdf", SLACK, True),
        ("http://127.0.0.1:8700/files-pri/F1", LOCAL, True),
        ("http://127.0.0.1:8701/files-pri/F1", LOCAL, False),
        ("https://127.0.0.1:8700/files-pri/F1", LOCAL, False),
        ("http://files.slack.com/files-pri/T1-F1/a.pdf", SLACK, False),
        ("https://files.slack.com:8443/a.pdf", SLACK, False),
        ("https://files.slack.com.evil.example/a.pdf", SLACK, False),
        ("https://evil.example/files.slack.com/a.pdf", SLACK, False),
        ("https://files.slack.com@evil.example/a.pdf", SLACK, False),
        ("https://me:secret@files.slack.com/a.pdf", SLACK, False),
        ("https://files.slack.com:port/a.pdf", SLACK, False),
        ("https://drive.example/a.pdf", SLACK, False),
        ("file:///etc/passwd", SLACK, False),
        ("https://[::1/a.pdf", SLACK, False),
        ("", SLACK, False),
    ],
)
def test_the_token_goes_to_slacks_own_hosts_only(url: str, api: str, *, own: bool) -> None:
    assert is_slacks_own(url, api) is own


def given(*files: object) -> Json:
    return {"files": {"field": {"type": "file_input", "files": list(files)}}}


def test_a_file_is_read_by_what_slack_says_of_it() -> None:
    [file] = read_sent_files(
        given(
            {
                "name": "a\nb.pdf",
                "url_private": "https://files.slack.com/1",
                "url_private_download": "https://files.slack.com/2",
                "permalink": "https://team.slack.com/files/1",
                "mimetype": "application/pdf",
                "size": 7,
            }
        ),
        "files",
        5,
    )
    assert (file.name, file.url, file.size) == ("a b.pdf", "https://files.slack.com/2", 7)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"files": None},
        {"files": {"field": None}},
        {"files": {"field": {"files": "F1"}}},
        given(None, 7, "F1"),
    ],
)
def test_odd_inputs_hold_no_file(values: Json) -> None:
    assert read_sent_files(values, "files", 5) == []


def test_a_file_without_a_name_or_a_size_is_still_one() -> None:
    [first, second] = read_sent_files(given({}, {"size": True}, {"name": "c"}), "files", 2)
    assert (first.name, first.size, second.name, second.size) == ("file 1", 0, "file 2", 0)


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        ("<@UBOT> export November", "export November"),
        ("ask <@U2> and <@U3|ben> in <#C1|ops>", "ask @U2 and @ben in #ops"),
        ("read <https://a.example/x?a=1&amp;b=2>", "read https://a.example/x?a=1&b=2"),
        ("read <https://a.example/x|a.example/x>", "read https://a.example/x"),
        ("read <https://a.example/x|the page>", "read the page (https://a.example/x)"),
        ("write to <mailto:a@b.example|a@b.example>", "write to a@b.example"),
        ("tell <!here> and <!subteam^S1|@on-call>", "tell @here and @on-call"),
        ("2 &lt; 3 &amp;&amp; 4 &gt; 3", "2 < 3 && 4 > 3"),
        ("first\nsecond line", "first\nsecond line"),
    ],
)
def test_a_tasks_text_keeps_people_and_addresses(sent: str, text: str) -> None:
    assert task_text(sent, "<@UBOT") == text
