"""Incident files: made from the template, read, changed at one place; paths stay in the folder."""

from dataclasses import fields as all_fields
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from faultbook.assembly.templates import template
from faultbook.base.errors import ConflictError, InvalidError
from faultbook.ledger.front_matter import read_front_matter
from faultbook.ledger.incident_file import (
    SECTIONS,
    incident_path,
    read_incident,
    render_incident,
    set_field,
    set_section,
)
from faultbook.ledger.inert import paragraphs, words
from faultbook.model.incident import Enforcement, IncidentFields, IncidentStatus, Severity
from tests.ledger.made_files import hostile

TEMPLATE = template("incident.md").read_text("utf-8")
INCIDENT = IncidentFields(
    title="invoice-sync wrote no PDF",
    date="2026-11-18",
    severity=Severity.HIGH,
    area="exports",
    owner="Ana",
    prevention_rule="The wrapper fails any export without report.pdf",
    rule_author="Ana",
    what_failed="It ended with 0.\n\nThe file was not there.",
    enforcement=Enforcement.TEST,
    enforcement_ref="tests/test_export.py",
    related=("export.py", "a tool"),
    lesson=14,
    status=IncidentStatus.OPEN,
    fingerprint="ab12",
    why_linked="Whoever writes an export writes the file first",
    impact="40 invoices were late.",
    root_cause="The disk was full.",
    fix="- a bigger disk\n- an alert",
)
_HOSTILE = (
    *("a | b", "a\nb: c\n---\n# x", "---", "</details><script>", "<!channel> <@U1>", "../../x"),
    *("--output=x", "!!python/object:os.system", "*x &y", "{{ 7 * 7 }} {% for %}", "\u202eabc"),
    *("no", "1e3", "'\"", "\\", "`", "```\nx", "\x00\x85\u2028", "[a](http://x.test)", "=cmd()"),
    *("@ana", "# x", "- x", "key: value", "%YAML", "? x", "| x", "> x", "\ud800"),
)


_LINES = (
    *("title", "area", "owner", "prevention_rule", "rule_author", "enforcement_ref"),
    *("fingerprint", "why_linked"),
)


def told(changes: dict[str, str]) -> IncidentFields:
    """Say other words in some of the fields that are text."""
    fields: dict[str, Any] = {one.name: getattr(INCIDENT, one.name) for one in all_fields(INCIDENT)}
    return IncidentFields(**fields | changes)


def test_the_file_says_every_field_and_reads_back() -> None:
    data = render_incident(INCIDENT, TEMPLATE)
    assert read_incident(data, "x").fields == INCIDENT
    text = data.decode()
    assert text.startswith('---\ntitle: "invoice-sync wrote no PDF"\ndate: 2026-11-18\n')
    assert "\nenforcement: test # " in text
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        f"## {heading}" for heading in SECTIONS.values()
    ]
    assert text.endswith("\n")


def test_a_file_with_least_said_reads_back() -> None:
    least = IncidentFields("a", "2026-11-18", Severity.LOW, "", "", "b", "", "c")
    assert read_incident(render_incident(least, TEMPLATE), "x").fields == least


@pytest.mark.parametrize("text", _HOSTILE)
def test_hostile_text_in_every_field_is_inert(text: str) -> None:
    fields = replace(told(dict.fromkeys([*_LINES, *SECTIONS], text)), related=(text, text))
    data = render_incident(fields, TEMPLATE)
    matter = read_front_matter(data)
    assert matter.problems == ()
    assert list(matter.values) == list(
        read_front_matter(render_incident(INCIDENT, TEMPLATE)).values
    )
    found = read_incident(data, "x").fields
    assert found.title == found.why_linked == words(text)
    assert found.related == (words(text),) * 2
    assert found.fix == found.verification == paragraphs(text)
    body = matter.source.text[matter.body :]
    assert body.count("\n## ") == len(SECTIONS)
    for token in MarkdownIt("commonmark").enable("table").parse(body):
        kind = token.type.removesuffix("_open").removesuffix("_close")
        assert kind in {"heading", "paragraph", "inline", "list_item", "bullet_list"}
        inner = {child.type for child in token.children or []}
        assert inner <= {"text", "softbreak", "code_inline"}


@settings(max_examples=200, deadline=None)
@given(st.lists(hostile, min_size=13, max_size=13))
def test_whatever_is_in_the_fields_reads_back(texts: list[str]) -> None:
    said = dict(zip([*_LINES, *SECTIONS], texts, strict=True))
    expected = {name: words(said[name]) for name in _LINES}
    expected |= {name: paragraphs(said[name]) for name in SECTIONS}
    assert read_incident(render_incident(told(said), TEMPLATE), "x").fields == told(expected)


def test_secrets_never_come_into_a_file() -> None:
    token = "ghp_" + "a1" * 18
    fields = replace(INCIDENT, title=token, what_failed=token, related=(token,))
    assert token.encode() not in render_incident(fields, TEMPLATE)


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_a_section_is_replaced_and_no_other_byte_changes(ending: str) -> None:
    data = render_incident(INCIDENT, TEMPLATE).decode().replace("\n", ending).encode()
    edited = set_section(data, "Root cause", "Two things:\n\n- a\n- <b>", "The disk was full.")
    new = "Two things:\n\n- a\n- \\<b>".replace("\n", ending)
    assert edited == data.replace(b"The disk was full.", new.encode())


def test_an_empty_section_is_filled_between_its_blank_lines() -> None:
    data = render_incident(INCIDENT, TEMPLATE)
    edited = set_section(data, "verification", "Run 7c1e90ab passed.")
    assert edited.startswith(data.rstrip(b"\n"))
    assert edited.endswith(b"## Verification\n\nRun 7c1e90ab passed.\n\n\n")
    bare = data.partition(b"## Verification")[0] + b"## Verification"
    assert set_section(bare, "verification", "x") == bare + b"\n\nx\n"
    middle = replace(INCIDENT, root_cause="")
    text = set_section(render_incident(middle, TEMPLATE), "root_cause", "x").decode()
    assert "## Root cause\n\nx\n" in text
    assert "\n## Fix\n" in text


def test_a_missing_section_is_added_at_the_end() -> None:
    data = render_incident(INCIDENT, TEMPLATE).partition(b"\n## Verification")[0]
    assert set_section(data, "Verification", "x") == data + b"\n## Verification\n\nx\n"


def test_comments_that_stand_alone_and_headings_in_code_are_no_text() -> None:
    data = render_incident(INCIDENT, TEMPLATE)
    data = data.replace(b"## Verification\n", b"## Verification\n\n<!-- Name a run. -->\n")
    data = data.replace(b"The disk was full.", b"```\n## Fix\n```\n\n### Why\n\n<!-- a -->\nDisk")
    found = read_incident(data, "x").fields
    assert found.verification == ""
    assert found.root_cause == "```\n## Fix\n```\n\n### Why\n\nDisk"
    assert found.fix == INCIDENT.fix
    edited = set_section(data, "verification", "Run 7 passed.")
    assert read_incident(edited, "x").fields.verification == "Run 7 passed."


def test_a_changed_section_is_a_conflict_that_shows_the_text() -> None:
    data = render_incident(INCIDENT, TEMPLATE)
    with pytest.raises(ConflictError) as caught:
        set_section(data, "Root cause", "x", expected="Nothing.")
    assert caught.value.code == "section_changed"
    assert "The disk was full." in caught.value.message
    with pytest.raises(InvalidError) as unknown:
        set_section(data, "Lessons", "x")
    assert unknown.value.code == "unknown_section"


def test_closing_changes_two_places() -> None:
    data = render_incident(INCIDENT, TEMPLATE)
    closed = set_section(set_field(data, "status", "closed", "open"), "Verification", "Run 7.")
    assert closed.replace(b"Run 7.\n\n", b"").replace(b"status: closed", b"status: open") == data


def test_odd_values_are_read_as_far_as_they_can_be() -> None:
    data = render_incident(INCIDENT, TEMPLATE)
    data = data.replace(b"severity: high", b"severity: huge").replace(b"lesson: 14", b"lesson: x")
    data = data.replace(b'related: ["export.py", "a tool"]', b"related: export.py")
    found = read_incident(data, "x").fields
    assert (found.severity, found.lesson, found.related) == (Severity.MEDIUM, None, ("export.py",))
    assert read_incident(b"", "x").problems
    assert read_incident(b"\xff\x00", "x").fields.title == ""


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("invoice-sync: no PDF was written", "invoice-sync-no-pdf-was-written"),
        ("../../etc/passwd", "etc-passwd"),
        ("/etc/passwd", "etc-passwd"),
        ("%2e%2e/x", "2e-2e-x"),
        ("--output=x", "output-x"),
        ("Größe überschritten, ça va", "grosse-uberschritten-ca-va"),
        ("CON", "con"),
        ("ok\n", "ok"),
        ("日本語", "incident"),
        ("🧨", "incident"),
        ("", "incident"),
        ("①② ﬁle", "12-file"),
        ("a" * 300, "a" * 100),
        (f"{'word ' * 40}", "-".join(["word"] * 20)),
        ("..", "incident"),
        ("a\x00b\u202ec", "a-b-c"),
    ],
)
def test_a_path_is_made_of_harmless_characters(title: str, slug: str) -> None:
    path = incident_path("2026-11-18", title)
    assert path == f"lessons/incidents/2026-11-18-{slug}.md"


@given(st.text(max_size=200))
def test_no_title_leads_out_of_the_folder(title: str) -> None:
    path = incident_path("2026-11-18", title)
    folder = Path("/repo/lessons/incidents")
    assert (Path("/repo") / path).resolve().parent == folder
    assert len(Path(path).stem) - len("2026-11-18-") <= 100
    assert path.isascii()


def test_a_taken_name_gets_a_number() -> None:
    first = incident_path("2026-11-18", "x", folder="docs/lessons")
    second = incident_path("2026-11-18", "X", folder="docs/lessons", taken=[first.upper()])
    third = incident_path("2026-11-18", "x", folder="docs/lessons", taken=[first, second])
    assert (first, second, third) == (
        "docs/lessons/incidents/2026-11-18-x.md",
        "docs/lessons/incidents/2026-11-18-x-2.md",
        "docs/lessons/incidents/2026-11-18-x-3.md",
    )


@pytest.mark.parametrize(
    "date",
    [
        "",
        "2026-13-01",
        "2026-02-30",
        "26-01-01",
        "2026-1-1",
        "2026-11-18\n",
        "\u0662026-11-18",
        "x/y",
    ],
)
def test_a_date_that_is_none_is_refused(date: str) -> None:
    with pytest.raises(InvalidError) as caught:
        incident_path(date, "x")
    assert caught.value.code == "incident_date"
