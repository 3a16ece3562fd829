"""Test reports in JUnit's XML: tests are counted by their elements, attributes are never believed.

Read are pytest's dialect (https://docs.pytest.org, `--junit-xml`), Maven Surefire's
(https://maven.apache.org/surefire, `surefire-test-report.xsd`) and GoogleTest's, suites nested as
deep as `_DEEPEST`. The one attribute that counts is a test's own word that it did not run
(GoogleTest's `status="notrun"`): a claim can only worsen a verdict.
"""

import re
from collections.abc import Mapping
from xml.parsers import expat

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, XMLParser

from faultbook.base.errors import InvalidError, TooLargeError
from faultbook.base.redaction import redact
from faultbook.base.text import cut, one_line
from faultbook.model.judge import TestCounts

LARGEST_REPORT = 50_000_000
"""Bytes of a report that are read at most, unless a caller sets its own limit."""

NAMES_KEPT = 50
"""How many names of failed tests are kept."""

_ROOTS = ("testsuites", "testsuite")
# Surefire: a test that passed on a rerun carries flaky*; one that never did carries failure or
# error for its first attempt and rerun* for the others.
_FAILED = frozenset({"failure", "error", "rerunFailure", "rerunError"})
_NOT_RUN = frozenset({"notrun", "suppressed", "skipped", "disabled"})
_DEEPEST = 500
_HEAD_BYTES = 4_096
_XML_TYPES = frozenset({"application/xml", "text/xml"})
# What may stand before the root: a byte order mark, declarations, comments, a DOCTYPE.
_ROOT = re.compile(
    rb"(?:\xef\xbb\xbf)?(?:\s|<\?.*?\?>|<!--.*?-->|<!DOCTYPE.*?(?=<(?:\w+:)?testsuite))*"
    rb"<(?:\w+:)?testsuites?[\s/>]",
    re.DOTALL,
)
_CHUNK = 1 << 16
_LONGEST_NAME = 200
_LONGEST_RAW_NAME = 10_000
_NEXT = "Give the XML file that the test runner wrote; nothing was recorded."


def may_be_report(name: str, media_type: str | None) -> bool:
    """Tell whether an artifact is XML by its type, or by its name where no type was said."""
    if media_type is None:
        return name.lower().endswith(".xml")
    return media_type.partition(";")[0].strip().lower() in _XML_TYPES


def is_report(name: str, media_type: str | None, data: bytes) -> bool:
    """Tell whether XML is a JUnit report by its root, though its media type does not say so."""
    return may_be_report(name, media_type) and _ROOT.match(data[:_HEAD_BYTES]) is not None


def count_tests(data: bytes, limit: int = LARGEST_REPORT) -> TestCounts:
    """Count the tests of a JUnit report and name those that failed.

    A test with a failure or an error failed; a skipped one was not executed; one that passed only
    on a rerun (`flakyFailure`, `flakyError`) was executed and did not fail. A failure or an error
    directly in a suite (a fixture or a class that could not be set up) counts as one failed test.

    Args:
        data: the report's bytes; their encoding is what the XML declares.
        limit: the size in bytes above which nothing is read.

    Raises:
        TooLargeError: the report is over the limit.
        InvalidError: it is no XML, is no JUnit report, holds a DOCTYPE or is nested too deep;
            `where` names the line.
    """
    if len(data) > limit:
        raise TooLargeError(
            f"The report has {len(data)} bytes; {limit} are read at most.",
            code="report_too_large",
            next_step="Split the report, or raise limits.junit_bytes. Nothing was recorded.",
        )
    counter = _Counter()
    parser = XMLParser(target=counter, forbid_dtd=True)
    counter.expat = parser.parser
    try:
        for offset in range(0, len(data), _CHUNK):
            parser.feed(data[offset : offset + _CHUNK])
        parser.close()
    except ParseError as error:
        raise _malformed(error.position[0], str(error)) from error
    except DefusedXmlException as error:
        raise InvalidError(
            f"Line {counter.line}: the report declares a DOCTYPE or an entity, which is refused.",
            code="report_has_doctype",
            next_step=_NEXT,
            where=f"line {counter.line}",
        ) from error
    except (ValueError, LookupError) as error:  # an encoding that expat can't read
        raise _malformed(counter.line, str(error)) from error
    return counter.counts()


def _malformed(line: int, why: str) -> InvalidError:
    return InvalidError(
        f"Line {line}: the report is no well-formed XML: {cut(one_line(why), 120)}.",
        code="malformed_report",
        next_step=_NEXT,
        where=f"line {line}",
    )


class _Test:
    """An open test, or an open suite seen as the place of its own failures."""

    __slots__ = ("failed", "is_test", "name", "skipped")

    def __init__(self, name: str, *, is_test: bool, skipped: bool = False) -> None:
        self.name = name
        self.is_test = is_test
        self.skipped = skipped
        self.failed = False


class _Counter:
    """The parser's target: no tree is built, so size and nesting cost no memory."""

    expat: expat.XMLParserType

    def __init__(self) -> None:
        self._open: list[_Test | None] = []
        self._total = self._executed = self._failed = 0
        self._names: dict[str, None] = {}

    @property
    def line(self) -> int:
        return self.expat.CurrentLineNumber

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        tag = tag.rpartition("}")[2]
        if not self._open and tag not in _ROOTS:
            raise InvalidError(
                f"Line {self.line}: the root is `{cut(one_line(tag), 60)}`; a JUnit report begins"
                " with `testsuites` or `testsuite`.",
                code="not_a_test_report",
                next_step=_NEXT,
                where=f"line {self.line}",
            )
        if len(self._open) >= _DEEPEST:
            raise InvalidError(
                f"Line {self.line}: the report is nested more than {_DEEPEST} elements deep.",
                code="report_too_deep",
                next_step=_NEXT,
                where=f"line {self.line}",
            )
        self._mark_parent(tag)
        self._open.append(_opened(tag, attributes))

    def _mark_parent(self, tag: str) -> None:
        parent = self._open[-1] if self._open else None
        if parent is None:
            return
        if tag in _FAILED:
            parent.failed = True
        elif tag == "skipped":
            parent.skipped = True

    def data(self, text: str) -> None:
        """Take text, which counts for nothing; without this the parser would interpret it."""

    def end(self, tag: str) -> None:
        del tag
        closed = self._open.pop()
        if closed is None or not (closed.is_test or closed.failed):
            return
        self._total += 1
        if closed.failed:
            self._executed += 1
            self._failed += 1
            if len(self._names) < NAMES_KEPT:
                self._names[_shown(closed.name)] = None
        elif not closed.skipped:
            self._executed += 1

    def close(self) -> None:
        """End the parse; the result is asked for by `counts`."""

    def counts(self) -> TestCounts:
        return TestCounts(self._total, self._executed, self._failed, tuple(self._names))


def _opened(tag: str, attributes: Mapping[str, str]) -> _Test | None:
    name = attributes.get("name", "")
    if tag == "testcase":
        place = attributes.get("classname", "")
        words = {attributes.get("status", ""), attributes.get("result", "")}
        return _Test(
            f"{place}::{name}" if place and name else place or name,
            is_test=True,
            skipped=any(word.lower() in _NOT_RUN for word in words),
        )
    return _Test(name, is_test=False) if tag in _ROOTS else None


def _shown(name: str) -> str:
    """Make a name fit to store: redacted whole, then on one line and cut."""
    return cut(one_line(redact(name[:_LONGEST_RAW_NAME])), _LONGEST_NAME) or "a test without a name"
