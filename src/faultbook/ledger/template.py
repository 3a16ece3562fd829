"""Incident files from a template that a team may edit: whatever is in a field stays inert.

Jinja2 in a sandbox that has nothing but the incident's fields, a few plain filters, and two of our
own: `yaml` for the front matter, `markdown` for the text beneath it. What is printed without one of
the two is refused, and so is a file that, read back, does not say what it was told.
"""

import re
from collections.abc import Iterator
from dataclasses import fields, replace
from enum import StrEnum
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, meta, nodes
from jinja2.exceptions import SecurityError, TemplateRuntimeError
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from faultbook.base.errors import InvalidError
from faultbook.base.text import cut, one_line
from faultbook.ledger.front_matter import read_front_matter, yaml_text
from faultbook.ledger.inert import block, paragraphs, words
from faultbook.ledger.sections import SECTIONS, read_sections
from faultbook.ledger.source import Problem
from faultbook.model.incident import Enforcement, IncidentFields, Severity

TEMPLATE_PATH = "templates/incident.md"
VARIABLES = frozenset(one.name for one in fields(IncidentFields))
_MAX_SIZE = 100_000
# Whatever calls, keeps or joins values, or reads a file: it could take for ever, or all memory.
_FORBIDDEN = (
    *(nodes.Call, nodes.Macro, nodes.CallBlock, nodes.FilterBlock, nodes.Include, nodes.Import),
    *(nodes.FromImport, nodes.Extends, nodes.Block, nodes.Assign, nodes.AssignBlock, nodes.With),
    nodes.Concat,
)
_DAY_LIKE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ALLOWED = ("default", "d", "first", "last", "length", "lower", "upper")
_SAMPLE = IncidentFields(
    title="no: # a title\\",
    date="2026-11-18",
    severity=Severity.HIGH,
    area="- an: area #",
    owner="@ana",
    prevention_rule='"The wrapper" fails: an export # without a file',
    rule_author="*ana",
    what_failed="# It wrote nothing.\n---\n| a | b |",
    enforcement=Enforcement.TEST,
    enforcement_ref="[tests]: #",
    related=("export.py: #", "a, b]"),
    lesson=14,
    fingerprint="{1e3",
    why_linked="!yes",
    impact="<b>None</b>\n## Fix",
    root_cause="`a\n---",
    fix="# one\n\n## Verification",
    verification="## A run *passed*.\n<!--",
)
"""What a template is tried with: in each field stands what a careless one would bring to life."""


class _BrokenError(Exception):
    """A template that can't be used, and the line that shows it, if one does."""

    def __init__(self, message: str, line: int | None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


class _Safe(str):
    """Text that has been through one of our filters."""

    __slots__ = ()


class _Sandbox(ImmutableSandboxedEnvironment):
    """Gives a template its variables and filters, and nothing that could cost time or memory."""

    intercepted_binops = frozenset({"*", "**", "%", "+", "//", "-", "/"})

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:  # noqa: ANN401 - Jinja's
        """Let a loop tell its index, and nothing else anything."""
        return isinstance(obj, LoopContext) and super().is_safe_attribute(obj, attr, value)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:  # noqa: ANN401 - Jinja's
        """Refuse to calculate: `"x" * 10**9` would fill the memory."""
        del context, left, right
        raise SecurityError(f"`{operator}` is not available in templates")


def render_incident(fields_: IncidentFields, template: str) -> bytes:
    """Write an incident's file.

    Args:
        fields_: one-line fields are put on one line, secrets are taken out of all.
        template: the team's, or ours from `templates/incident.md`.

    Raises:
        InvalidError: the template can't be used (`template_broken`); the message names its line.
    """
    told = _cleaned(fields_)
    try:
        _check_template(template)
        text = _render(told, template)
        _check_says(told, text)
    except _BrokenError as error:
        raise InvalidError(
            f"The incident template can't be used. {error.message}",
            code="template_broken",
            next_step=f"Mend {TEMPLATE_PATH}; every field of an incident belongs in it.",
            where=f"line {error.line}" if error.line else TEMPLATE_PATH,
        ) from error
    return text.encode("utf-8")


def template_problems(template: str) -> tuple[Problem, ...]:
    """Find what is wrong with a template, by reading it and by filling it in."""
    return _problems(template)


def _check_template(template: str) -> None:
    for problem in template_problems(template):
        raise _BrokenError(problem.message, problem.line)


@lru_cache(maxsize=8)
def _problems(template: str) -> tuple[Problem, ...]:
    return tuple(_find_problems(template))


def _find_problems(template: str) -> Iterator[Problem]:
    try:
        tree, used = _parse(template)
    except _BrokenError as error:
        yield _problem(error.line or 1, "template-syntax", error.message)
        return
    for forbidden in tree.find_all(_FORBIDDEN):
        said = type(forbidden).__name__.lower()
        yield _problem(forbidden.lineno, "template-syntax", f"`{said}` is not available here.")
        return
    for loop in tree.find_all(nodes.For):
        for inner in loop.find_all(nodes.For):
            yield _problem(inner.lineno, "template-syntax", "A loop stands within a loop.")
            return
    unknown = used - VARIABLES
    places = {name.name: name.lineno for name in reversed(list(tree.find_all(nodes.Name)))}
    for name in sorted(unknown, key=lambda name: (places.get(name, 1), name)):
        yield _problem(
            places.get(name, 1), "template-variable", f"`{name}` is no field of an incident."
        )
    if unknown:
        return
    try:
        _check_says(_SAMPLE, _render(_SAMPLE, template))
    except _BrokenError as error:
        yield _problem(error.line or 1, "template-broken", error.message)


def _parse(template: str) -> tuple[nodes.Template, set[str]]:
    """Read a template: its tree, and the variables that it uses."""
    if len(template) > _MAX_SIZE:
        raise _BrokenError("It has more than a hundred thousand characters.", None)
    try:
        tree = _environment().parse(template)
        return tree, meta.find_undeclared_variables(tree)
    except TemplateSyntaxError as error:
        raise _BrokenError(_sentence(str(error.message)), error.lineno) from error
    except RecursionError as error:
        raise _BrokenError("It is nested too deeply.", None) from error


@lru_cache(maxsize=4)
def _compiled(template: str) -> Template:
    return _environment().from_string(template)


def _environment() -> _Sandbox:
    environment = _Sandbox(
        undefined=StrictUndefined, finalize=_finalize, keep_trailing_newline=True
    )
    environment.globals.clear()
    allowed = {name: environment.filters[name] for name in _ALLOWED}
    environment.filters.clear()
    environment.filters.update(allowed, yaml=_yaml, markdown=_markdown)
    environment.tests = {name: environment.tests[name] for name in ("defined", "none")}
    return environment


def _finalize(value: object) -> object:
    if isinstance(value, _Safe):
        return value
    raise TemplateRuntimeError("a field is printed without `| yaml` or `| markdown`")


def _yaml(value: object) -> _Safe:
    _check_raw(value)
    if isinstance(value, StrEnum) or (isinstance(value, str) and _DAY_LIKE.fullmatch(value)):
        return _Safe(value)
    if value is None or isinstance(value, (str, int)):
        return _Safe(yaml_text(value))
    if isinstance(value, (list, tuple)):
        return _Safe(yaml_text([str(item) for item in value]))
    raise TemplateRuntimeError("`yaml` takes text, a number or a list")


def _markdown(value: object) -> _Safe:
    _check_raw(value)
    if isinstance(value, (list, tuple)):
        return _Safe(", ".join(block(str(item)) for item in value))
    return _Safe("" if value is None else block(str(value)))


def _check_raw(value: object) -> None:
    """Refuse what has been through a filter: escaping again and again would double it each time."""
    items = value if isinstance(value, (list, tuple)) else [value]
    if any(isinstance(item, (_Safe, list, tuple)) for item in items):
        raise TemplateRuntimeError("`yaml` and `markdown` take a field, each by itself")
    if sum(len(str(item)) for item in items) > _MAX_SIZE:
        raise TemplateRuntimeError("a field has more than a hundred thousand characters")


def _cleaned(told: IncidentFields) -> IncidentFields:
    changes: dict[str, Any] = {"related": tuple(words(item) for item in told.related)}
    for one in fields(IncidentFields):
        value = getattr(told, one.name)
        if isinstance(value, str) and not isinstance(value, StrEnum):
            changes[one.name] = paragraphs(value) if one.name in SECTIONS else words(value)
    return replace(told, **changes)


def _render(told: IncidentFields, template: str) -> str:
    values = {one.name: getattr(told, one.name) for one in fields(IncidentFields)}
    parts: list[str] = []
    size = 0
    try:
        for part in _compiled(template).generate(values):
            parts.append(part)
            size += len(part)
            if size > _MAX_SIZE * 10:
                raise TemplateRuntimeError("it writes more than a million characters")
    except (TemplateError, TypeError, ValueError, RecursionError) as error:
        raise _BrokenError(_sentence(str(error)), _line_of(error)) from error
    return "".join(parts)


def _check_says(told: IncidentFields, text: str) -> None:
    """Read the file back, and refuse it unless it says what it was told."""
    data = text.encode("utf-8")
    matter = read_front_matter(data)
    for problem in matter.problems:
        raise _BrokenError(f"The file it makes can't be read: {problem.message}", None)
    sections = read_sections(matter.source, matter.body)
    for one in fields(IncidentFields):
        wanted = getattr(told, one.name)
        if one.name in SECTIONS:
            section = sections.get(one.name)
            if section is None or section.text != wanted:
                raise _BrokenError(
                    f"Its section “{SECTIONS[one.name]}” does not say the field.", None
                )
            continue
        said = matter.values.get(one.name)
        wanted = wanted if isinstance(wanted, tuple) else "" if wanted is None else str(wanted)
        if said != wanted and not (said in ("", ()) and wanted in ("", ())):
            raise _BrokenError(f"Its front matter does not say `{one.name}`.", None)


def _line_of(error: BaseException) -> int | None:
    """Find the template's line in a traceback, which Jinja2 has rewritten to name it."""
    line = None
    step = error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == "<template>":
            line = step.tb_lineno
        step = step.tb_next
    return line


def _sentence(text: str) -> str:
    said = cut(one_line(text), 200).rstrip(".")
    return f"{said[:1].upper()}{said[1:]}."


def _problem(line: int, code: str, message: str) -> Problem:
    return Problem(
        line,
        1,
        code,
        message,
        "Print fields as `{{ title | yaml }}` above and `{{ fix | markdown }}` below.",
    )
