"""JUnit reports of real shape, counted by their elements."""

import contextlib
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultbook.base.errors import InvalidError, TooLargeError
from faultbook.model.judge import TestCounts
from faultbook.model.junit import NAMES_KEPT, count_tests

PYTEST = b"""<?xml version="1.0" encoding="utf-8"?><testsuites name="pytest tests">
<testsuite name="pytest" errors="1" failures="1" skipped="2" tests="6" time="0.051"
 timestamp="2026-11-18T11:06:40.123456+00:00" hostname="ci-1">
<testcase classname="tests.test_export" name="test_writes_a_file" time="0.001" />
<testcase classname="tests.test_export" name="test_total[EUR]" time="0.001"><failure
 message="AssertionError: assert 3 == 4">def test_total(currency):
&gt;       assert 3 == 4
E       AssertionError</failure></testcase>
<testcase classname="tests.test_export" name="test_teardown" time="0.001"><error
 message="failed on teardown with &quot;OSError&quot;">OSError</error></testcase>
<testcase classname="tests.test_export" name="test_later" time="0.000"><skipped
 type="pytest.skip" message="no network">tests/test_export.py:9: no network</skipped></testcase>
<testcase classname="tests.test_export" name="test_known" time="0.000"><skipped
 type="pytest.xfail" message="issue 12" /></testcase>
<testcase classname="" name="tests.test_broken" time="0.000"><error
 message="collection failure">ImportError: no module</error></testcase>
</testsuite></testsuites>"""

SUREFIRE = b"""<?xml version="1.0" encoding="UTF-8"?>
<testsuite xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" version="3.0.2"
 xsi:noNamespaceSchemaLocation="https://maven.apache.org/surefire/surefire-test-report.xsd"
 name="com.acme.InvoiceTest" time="0.4" tests="5" errors="0" skipped="1" failures="1" flakes="1">
  <properties><property name="java.version" value="21"/></properties>
  <testcase name="totals" classname="com.acme.InvoiceTest" time="0.01"/>
  <testcase name="currency" classname="com.acme.InvoiceTest" time="0.02">
    <failure message="expected: &lt;1&gt; but was: &lt;2&gt;"
     type="org.opentest4j.AssertionFailedError"><![CDATA[at com.acme.InvoiceTest]]></failure>
    <rerunFailure message="again" type="org.opentest4j.AssertionFailedError">
      <stackTrace><![CDATA[at com.acme.InvoiceTest]]></stackTrace></rerunFailure>
    <system-out><![CDATA[<testcase name="not a test"/>]]></system-out>
  </testcase>
  <testcase name="network" classname="com.acme.InvoiceTest" time="0.03">
    <flakyFailure message="timeout" type="java.io.IOException"><stackTrace/></flakyFailure>
  </testcase>
  <testcase name="flakyToo" classname="com.acme.InvoiceTest" time="0.03">
    <flakyError message="timeout" type="java.io.IOException"><stackTrace/></flakyError>
  </testcase>
  <testcase name="later" classname="com.acme.InvoiceTest" time="0"><skipped message="x"/></testcase>
</testsuite>"""

GOOGLETEST = b"""<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="4" failures="1" disabled="1" errors="0" time="0.01" name="AllTests">
  <testsuite name="Money" tests="3" failures="1" disabled="1" skipped="0" errors="0" time="0.01">
    <testcase name="Adds" file="m.cc" line="3" status="run" result="completed" classname="Money"/>
    <testcase name="Rounds" status="run" result="completed" classname="Money">
      <failure message="m.cc:9&#x0A;Expected equality" type=""><![CDATA[m.cc:9]]></failure>
    </testcase>
    <testcase name="DISABLED_Later" status="notrun" result="suppressed" classname="Money"/>
    <testcase name="Skips" status="run" result="skipped" classname="Money"/>
  </testsuite>
</testsuites>"""

NESTED = b"""<testsuites><testsuite name="all"><testsuite name="unit">
<testcase classname="unit" name="a"/><testsuite name="deep"><testcase name="b"><error/></testcase>
</testsuite></testsuite><testcase name="c"/></testsuite><testsuite name="none"/></testsuites>"""


def test_pytests_dialect_is_counted_with_collection_errors_skips_and_expected_failures() -> None:
    assert count_tests(PYTEST) == TestCounts(
        total=6,
        executed=4,
        failed=3,
        failed_names=(
            "tests.test_export::test_total[EUR]",
            "tests.test_export::test_teardown",
            "tests.test_broken",
        ),
    )


def test_surefires_dialect_is_counted_and_a_flaky_test_did_not_fail() -> None:
    assert count_tests(SUREFIRE) == TestCounts(5, 4, 1, ("com.acme.InvoiceTest::currency",))


def test_googletests_disabled_tests_were_not_executed() -> None:
    assert count_tests(GOOGLETEST) == TestCounts(4, 2, 1, ("Money::Rounds",))


def test_nested_suites_are_counted_at_every_level() -> None:
    assert count_tests(NESTED) == TestCounts(3, 3, 1, ("b",))


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        (b"<testsuite tests='5' failures='0'/>", TestCounts(0, 0, 0)),
        (
            b"<testsuite tests='0' failures='9'><testcase name='a'/></testsuite>",
            TestCounts(1, 1, 0),
        ),
        (b"<testsuites/>", TestCounts(0, 0, 0)),
        (b"<x:testsuite xmlns:x='u'><x:testcase name='a'/></x:testsuite>", TestCounts(1, 1, 0)),
        (
            b"<testsuite name='db'><error message='no fixture'/><testcase name='a'/></testsuite>",
            TestCounts(2, 2, 1, ("db",)),
        ),
        (
            b"<testsuite><testcase name='a'><skipped/><failure/></testcase></testsuite>",
            TestCounts(1, 1, 1, ("a",)),
        ),
        (
            b"<testsuite><testcase name='a'><rerunError/></testcase></testsuite>",
            TestCounts(1, 1, 1, ("a",)),
        ),
        (
            b"<testsuite><testcase><failure/></testcase></testsuite>",
            TestCounts(1, 1, 1, ("a test without a name",)),
        ),
        (
            b"<testsuite><testcase name='a'><x><failure/></x></testcase></testsuite>",
            TestCounts(1, 1, 0),
        ),
    ],
)
def test_elements_are_counted_and_attributes_are_not_believed(
    report: bytes, expected: TestCounts
) -> None:
    assert count_tests(report) == expected


def test_another_encoding_is_read_as_it_is_declared() -> None:
    report = "<?xml version='1.0' encoding='iso-8859-1'?><testsuite><testcase name='é'><error/>"
    report += "</testcase></testsuite>"
    assert count_tests(report.encode("latin-1")).failed_names == ("é",)
    wide = report.replace("iso-8859-1", "utf-16").encode("utf-16")
    assert count_tests(wide).failed_names == ("é",)


@pytest.mark.parametrize(
    ("report", "code", "line"),
    [
        (b"", "malformed_report", 1),
        (b"\n\nnot xml", "malformed_report", 3),
        (b"<testsuite>\n<testcase name='a'>\n</testsuite>", "malformed_report", 3),
        (b"<testsuite><testcase name='a'/>", "malformed_report", 1),
        (b"<?xml version='1.0' encoding='no-such'?><testsuite/>", "malformed_report", 1),
        (b"<?xml version='1.0' encoding='shift_jis'?><testsuite/>", "malformed_report", 1),
        (b"<testsuite>\xff\xfe</testsuite>", "malformed_report", 1),
        (b"<testsuite>&nbsp;</testsuite>", "malformed_report", 1),
        (b"\n<html><body/></html>", "not_a_test_report", 2),
        (b"<testcase name='a'/>", "not_a_test_report", 1),
        (b"<?xml version='1.0'?>\n<!DOCTYPE testsuite>\n<testsuite/>", "report_has_doctype", 2),
        (
            b"<!DOCTYPE t [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]><testsuite>&b;</testsuite>",
            "report_has_doctype",
            1,
        ),
        (
            b"<!DOCTYPE t SYSTEM 'file:///etc/passwd'><testsuite/>",
            "report_has_doctype",
            1,
        ),
        (b"<testsuites>" + b"<testsuite>" * 200_000, "report_too_deep", 1),
    ],
)
def test_what_is_no_report_is_refused_with_its_line(report: bytes, code: str, line: int) -> None:
    with pytest.raises(InvalidError) as caught:
        count_tests(report)
    assert (caught.value.code, caught.value.where) == (code, f"line {line}")
    assert str(line) in caught.value.message
    assert caught.value.next_step


def test_a_report_over_the_limit_is_refused_with_both_sizes() -> None:
    with pytest.raises(TooLargeError, match=r"has 12 bytes; 11 are read") as caught:
        count_tests(b"<testsuite/>", limit=11)
    assert caught.value.code == "report_too_large"
    assert count_tests(b"<testsuite/>", limit=12) == TestCounts(0, 0, 0)


def test_names_are_kept_few_short_on_one_line_and_without_secrets() -> None:
    secret = "ghp_" + "a1B2" * 9
    many = "".join(f"<testcase name='t{n}'><failure/></testcase>" for n in range(70))
    odd = f"<testcase name='{'x' * 300}'><failure/></testcase>"
    odd += f"<testcase name='a&#10;b {secret} \u202e'><failure/></testcase>"
    counts = count_tests(f"<testsuite>{odd}{many}</testsuite>".encode())
    assert counts.failed == 72
    assert len(counts.failed_names) == NAMES_KEPT
    assert len(counts.failed_names[0]) == 200
    assert counts.failed_names[1] == "a b [REDACTED:github-pat] \\u202e"


def test_the_same_name_is_kept_once_and_counted_each_time() -> None:
    case = "<testcase name='a'><error/></testcase>"
    assert count_tests(f"<testsuite>{case}{case}</testsuite>".encode()) == TestCounts(
        2, 2, 2, ("a",)
    )


_names = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), max_size=30
)
_cases = st.tuples(
    _names, st.sampled_from(["", "<failure/>", "<error/>", "<skipped/>", "<flakyError/>"])
)
_claims = st.dictionaries(
    st.sampled_from(["tests", "failures", "errors", "skipped", "disabled"]),
    st.integers(-5, 5).map(str),
)
_suites = st.recursive(
    st.lists(_cases, max_size=5),
    lambda inner: st.lists(inner | _cases, max_size=4),
    max_leaves=15,
)


def _write(suite: object, claims: dict[str, str], found: list[str]) -> str:
    if isinstance(suite, tuple):
        name, child = suite
        found.append(child)
        return f"<testcase name={quoteattr(name)}>{child}</testcase>"
    assert isinstance(suite, list)
    attributes = " ".join(f"{key}='{value}'" for key, value in claims.items())
    inner = "".join(_write(each, claims, found) for each in suite)
    return f"<testsuite {attributes}>{inner}</testsuite>"


@given(_suites, _claims)
def test_any_nesting_with_any_claims_counts_what_is_there(
    suite: object, claims: dict[str, str]
) -> None:
    found: list[str] = []
    report = f"<testsuites>{_write(suite, claims, found)}</testsuites>"
    counts = count_tests(report.encode())
    failed = sum(child in ("<failure/>", "<error/>") for child in found)
    assert counts.total == len(found)
    assert counts.executed == len(found) - found.count("<skipped/>")
    assert counts.failed == failed
    assert bool(counts.failed_names) == bool(failed)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_bytes_at_all_bring_it_down(data: bytes) -> None:
    for wrapped in (data, b"<testsuite>" + data + b"</testsuite>"):
        with contextlib.suppress(InvalidError):
            counts = count_tests(wrapped)
            assert counts.total >= counts.executed >= counts.failed
