"""A team's template: its mistakes are named with their line, and its power ends at the fields."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faultbook.base.errors import InvalidError
from faultbook.ledger.template import render_incident, template_problems
from tests.ledger.test_incident_file import INCIDENT, TEMPLATE


def test_our_own_template_has_no_problem() -> None:
    assert list(template_problems(TEMPLATE)) == []


def test_a_team_may_move_leave_out_words_and_add_its_own() -> None:
    template = TEMPLATE.replace("# {{ title | markdown }}", "Reviewed weekly.").replace(
        "\n---\n\n", "\nteam: payments\n---\n\n"
    )
    template += (
        "\n## Related\n\n{% for item in related %}\n- {{ item | markdown }}\n{% endfor %}\n"
        '{% if enforcement == "none" %}No test.{% else %}Held.{% endif %}\n'
        '{{ owner | default("nobody") | upper | markdown }}\n'
    )
    assert list(template_problems(template)) == []
    text = render_incident(INCIDENT, template).decode()
    assert "\n- export.py\n" in text
    assert "\nHeld.\nANA" in text


_FIX = TEMPLATE.splitlines().index("{{ fix | markdown }}") + 1


@pytest.mark.parametrize(
    ("old", "new", "code", "line"),
    [
        ("{{ fix | markdown }}", "{{ fixx | markdown }}", "template-variable", _FIX),
        ("{{ fix | markdown }}", "{{ fix | markdown }", "template-syntax", _FIX),
        ("{{ fix | markdown }}", "{% for %}", "template-syntax", _FIX),
        ("{{ fix | markdown }}", "{{ fix | safe }}", "template-syntax", _FIX),
        ("{{ fix | markdown }}", "{{ fix }}", "template-broken", _FIX),
        ("{{ fix | markdown }}", '{{ (fix | markdown) ~ "x" }}', "template-syntax", _FIX),
        ("{{ fix | markdown }}", "{{ fix.x | markdown }}", "template-broken", _FIX),
        ("{{ fix | markdown }}", "{{ fix.__class__ | markdown }}", "template-broken", _FIX),
        ("{{ fix | markdown }}", "{{ fix.format() | markdown }}", "template-syntax", _FIX),
        ("{{ fix | markdown }}", '{{ ("x" * 9) | markdown }}', "template-broken", _FIX),
        ("{{ fix | markdown }}", '{{ ("%9d" % 1) | markdown }}', "template-broken", _FIX),
        ("{{ fix | markdown }}", "{{ range(9) | markdown }}", "template-syntax", _FIX),
        ("{{ fix | markdown }}", '{% include "x" %}', "template-syntax", _FIX),
        ("{{ fix | markdown }}", "nothing", "template-broken", 1),
        ("{{ fix | markdown }}", "{{ title | markdown }}", "template-broken", 1),
        ("## Fix\n", "", "template-broken", 1),
        ("lesson: {{ lesson | yaml }}", "", "template-broken", 1),
        ("area: {{ area | yaml }}", "area: {{ area | markdown }}", "template-broken", 1),
        ("title: {{ title | yaml }}", "title: {{ title | markdown }}", "template-broken", 1),
        ("title: {{ title | yaml }}", "title: a\ntitle: b", "template-broken", 1),
    ],
)
def test_a_broken_template_is_named_with_its_line(old: str, new: str, code: str, line: int) -> None:
    assert old in TEMPLATE
    problems = list(template_problems(TEMPLATE.replace(old, new)))
    assert [(problem.code, problem.line) for problem in problems] == [(code, line)]
    assert problems[0].message.endswith(".")
    with pytest.raises(InvalidError) as caught:
        render_incident(INCIDENT, TEMPLATE.replace(old, new))
    assert caught.value.code == "template_broken"


@pytest.mark.parametrize(
    "template", ["", "---\n---\n", "\x00", "{{", "{% macro x() %}{{ x() | yaml }}{% endmacro %}"]
)
def test_what_is_no_template_is_refused(template: str) -> None:
    assert list(template_problems(template))
    with pytest.raises(InvalidError):
        render_incident(INCIDENT, template)


@pytest.mark.parametrize(
    "more",
    [
        "{% macro m(n) %}{{ m(n) | yaml }}{% endmacro %}",
        "{% for a in fix %}{% for b in fix %}{% endfor %}{% endfor %}",
        "{% for a in fix recursive %}{{ loop(fix) | yaml }}{% endfor %}",
        "{{ " + "(" * 5_000 + "fix" + ")" * 5_000 + " | yaml }}",
        "{{ fix | center(999999999) | markdown }}",
        "{% set a = [fix, fix] %}",
        "{% with a = [fix, fix] %}{% endwith %}",
        "{{ (fix ~ fix) | yaml }}",
        "{{ fix | yaml | yaml }}",
        "{{ [fix | markdown] | markdown }}",
        "{{ [[fix, fix], fix] | markdown }}",
        "{{ [fix, fix] | join(fix) | yaml }}",
        "{{ 9**9**9 | yaml }}",
        "x" * 100_001,
    ],
)
def test_a_template_can_take_neither_for_ever_nor_all_memory(more: str) -> None:
    assert len(list(template_problems(TEMPLATE + more))) == 1
    with pytest.raises(InvalidError) as caught:
        render_incident(INCIDENT, TEMPLATE + more)
    assert caught.value.code == "template_broken"


def test_a_file_that_grows_beyond_measure_is_refused() -> None:
    loop = "\n## More\n\n{% for char in fix %}{{ what_failed | markdown }}{% endfor %}"
    long = replace(INCIDENT, what_failed="x" * 3_000, fix="y" * 3_000)
    with pytest.raises(InvalidError) as caught:
        render_incident(long, TEMPLATE + loop)
    assert "more than a million characters" in caught.value.message
    with pytest.raises(InvalidError) as too_long:
        render_incident(replace(INCIDENT, fix="y" * 100_001), TEMPLATE)
    assert "more than a hundred thousand characters" in too_long.value.message


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                *(
                    "{{",
                    "}}",
                    "{%",
                    "%}",
                    "{#",
                    "#}",
                    "fix",
                    "related",
                    "|",
                    "yaml",
                    "markdown",
                    "for",
                ),
                *("in", "endfor", "if", "else", "endif", "a", "not", "is", "defined", "none", "("),
                *(")", "[", "]", ".", ",", "~", "'x'", "1", "-", "loop", "index", "default", "\n"),
            ]
        ),
        max_size=14,
    )
)
def test_whatever_a_template_says_it_is_used_or_refused(words: list[str]) -> None:
    template = f"{TEMPLATE}\n## More\n{' '.join(words)}\n"
    if not list(template_problems(template)):
        assert render_incident(INCIDENT, template)
        return
    with pytest.raises(InvalidError) as caught:
        render_incident(INCIDENT, template)
    assert caught.value.code == "template_broken"
