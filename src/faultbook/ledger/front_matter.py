r"""Front matter: found by our own fence check, read as text, changed by a splice.

The fences are found before any library looks: a byte order mark or an unclosed block would
otherwise read as "no front matter" without an error. Then the YAML is walked once for what must
not be in it (duplicate keys, anchors, tags, keys that are no text), and python-frontmatter reads
the values with a loader that leaves every scalar the text it is: `no` is no False, `1e3` no number.
Nothing is ever dumped over a person's file.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import frontmatter
import yaml
from frontmatter.default_handlers import YAMLHandler

from faultbook.base.errors import ConflictError, InvalidError
from faultbook.base.text import cut
from faultbook.ledger.inert import words
from faultbook.ledger.source import Problem, Source, storable, unproven

try:
    from yaml import CBaseLoader as BaseLoader
    from yaml import CSafeLoader as SafeLoader
except ImportError:  # PyYAML built without libyaml; both give the same marks
    from yaml import BaseLoader, SafeLoader  # type: ignore[assignment]

Value = str | tuple[str, ...]
"""A field's value: text as it is written, or a list of texts."""

_TEXT = "tag:yaml.org,2002:str"
_FENCE = re.compile(r"-{3,}[ \t]*")
_MAX_CHARACTERS, _MAX_DEPTH = 65_536, 8
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_NULLS = frozenset({"~", "null", "Null", "NULL"})
_BLOCK_HEADER = re.compile(r"[|>][-+0-9]*[ \t]*(#[^\r\n]*)?")
_LINE_END = re.compile("[\r\n]")
_PLAIN = re.compile(r"[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*")
_HIDDEN = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of the front matter: where its key ends, where its value stands."""

    name: str
    line: int
    key_end: int
    start: int
    end: int
    style: str | None


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """A file's front matter as read.

    Attributes:
        values: by key; text as it is written, a list as a tuple. Keys whose value is neither are
            left out. Empty where a problem that is no warning keeps it from being read.
        entries: where each key stands.
        closing: offset of the closing fence's line; 0 without front matter.
        body: offset of what comes after it.
    """

    source: Source = field(repr=False)
    values: Mapping[str, Value] = field(default_factory=dict)
    entries: Mapping[str, Entry] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    closing: int = 0
    body: int = 0

    def text(self, name: str) -> str:
        """Give a field as one text; a list's texts with commas between; empty where it is none."""
        value = self.values.get(name, "")
        return value if isinstance(value, str) else ", ".join(value)

    def line(self, name: str) -> int:
        """Give the line of a key, or that of the opening fence where the key is missing."""
        entry = self.entries.get(name)
        return entry.line if entry else 1


class _StrictHandler(YAMLHandler):
    """Reads every scalar as the text it is."""

    def load(self, fm: str, **_: object) -> Any:  # noqa: ANN401 - the library's own signature
        return yaml.load(fm, Loader=BaseLoader)  # noqa: S506 - makes strings, lists and dicts only


def read_front_matter(data: bytes) -> FrontMatter:
    """Read a file's front matter; what is wrong with it is in `problems`."""
    source = Source.decode(data)
    found = _fences(source)
    if isinstance(found, Problem):
        return FrontMatter(source, problems=(found,))
    start, closing, body = found
    text = source.text[start:closing]
    problems = tuple(_yaml_problems(source, start, text))
    if problems:
        return FrontMatter(source, problems=problems, closing=closing, body=body)
    entries = _entries(source, start, text)
    problems = tuple(_duplicates(entries))
    by_name = {entry.name: entry for entry in entries}
    values = {} if problems else _values(text, by_name)
    return FrontMatter(source, values, by_name, problems, closing, body)


def yaml_text(value: str | int | Sequence[str] | None) -> str:
    r"""Write a value so that YAML reads exactly it, on one line.

    Text is always double-quoted (YAML 1.2, 7.3.1), since `no`, `1e3`, `@bob` and `a: b` would be
    read as something else; None is nothing.
    """
    if value is None:
        return ""
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        quoted = json.dumps(value, ensure_ascii=False)
        return _HIDDEN.sub(lambda match: f"\\u{ord(match[0]):04x}", quoted)
    return f"[{', '.join(yaml_text(item) for item in value)}]"


def set_field(
    data: bytes,
    name: str,
    value: str | int | Sequence[str] | None,
    expected: Value | None = None,
) -> bytes:
    """Write one field's value, and nothing else; a key that is missing is added at the end.

    Args:
        data: the file.
        name: the key.
        value: text is put on one line, secrets taken out, and quoted as YAML needs it.
        expected: what the field said when the change was asked for; None takes what is there.

    Raises:
        InvalidError: the front matter can't be read.
        ConflictError: the field says something else by now (`field_changed`).
    """
    matter = read_front_matter(data)
    for problem in matter.problems:
        raise InvalidError(
            problem.message,
            code=problem.code.replace("-", "_"),
            next_step=problem.next_step,
            where=f"line {problem.line}",
        )
    found = matter.values.get(name, "")
    if expected is not None and found != expected:
        shown = found if isinstance(found, str) else ", ".join(found)
        raise ConflictError(
            f"`{name}` was changed meanwhile: “{cut(shown, 120)}”.",
            code="field_changed",
            next_step="Read it again, then apply your change or drop it.",
            where=name,
        )
    wanted = _as_read(value)
    written = _written(matter, name, value)
    edited = _spliced(matter, name, written)
    _prove(matter, edited, name, wanted)
    return edited


def _fences(source: Source) -> tuple[int, int, int] | Problem:
    lines = source.lines
    if _FENCE.fullmatch(lines[0].text) is None:
        return Problem(
            1,
            1,
            "front-matter-missing",
            "The file does not start with front matter.",
            "Start it with a line `---`, the fields, and another `---`.",
        )
    closing = next((line for line in lines[1:] if _FENCE.fullmatch(line.text)), None)
    if closing is None:
        return Problem(
            1,
            1,
            "front-matter-unclosed",
            "The front matter that starts here is never closed.",
            "Add a line `---` behind its last field.",
        )
    start = lines[1].start
    if closing.start - start > _MAX_CHARACTERS:
        return Problem(
            1,
            1,
            "front-matter-too-large",
            f"The front matter has more than {_MAX_CHARACTERS} characters.",
            "Move the details below it.",
        )
    return start, closing.start, closing.end + len(closing.ending)


def _yaml_problems(source: Source, start: int, text: str) -> Iterator[Problem]:
    """Walk the YAML's events, which resolve nothing, for what may not be in it."""
    depth = 0
    try:
        for event in yaml.parse(text, Loader=BaseLoader):
            if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
                depth += 1
            elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
                depth -= 1
            if depth > _MAX_DEPTH:
                yield _at(source, start, event, "yaml-too-deep", "Lists within lists, too deep.")
                return
            refused = _refused(event)
            if refused:
                yield _at(source, start, event, *refused)
                return
        yield from _shape_problems(source, start, text)
    except yaml.YAMLError as error:
        yield _yaml_error(source, start, error)


def _refused(event: yaml.Event) -> tuple[str, str] | None:
    if getattr(event, "anchor", None):
        return "yaml-anchor", "Anchors and aliases (`&name`, `*name`) are not read here."
    if getattr(event, "tag", None):
        return "yaml-tag", "Tags (`!name`) are not read here."
    return None


def _shape_problems(source: Source, start: int, text: str) -> Iterator[Problem]:
    root = yaml.compose(text, Loader=SafeLoader)
    if root is None:
        return
    if not isinstance(root, yaml.MappingNode):
        yield _at(source, start, root, "yaml-no-fields", "There are no `key: value` fields here.")
        return
    for key, _ in root.value:
        if key.tag != _TEXT:
            yield _at(source, start, key, "yaml-key", "This key is not read as text by YAML.")


def _at(
    source: Source, start: int, where: yaml.Event | yaml.Node, code: str, message: str
) -> Problem:
    mark = where.start_mark
    line, column = source.place(start + (mark.index if mark else 0))
    return Problem(line, column, code, message, "Put the text in double quotes.")


def _yaml_error(source: Source, start: int, error: yaml.YAMLError) -> Problem:
    mark = getattr(error, "problem_mark", None)
    line, column = source.place(min(start + (mark.index if mark else 0), len(source.text)))
    said = getattr(error, "problem", None) or "it is no YAML"
    at = source.lines[line - 1].text
    tabs = "\t" in at[: len(at) - len(at.lstrip())]
    message = "YAML takes no tab for indentation." if tabs else f"YAML can't read this: {said}."
    next_step = (
        "Use blanks." if tabs else "Put the value in double quotes; `@`, `: ` and ` #` need them."
    )
    return Problem(line, column, "yaml-tab" if tabs else "yaml", message, next_step)


def _entries(source: Source, start: int, text: str) -> list[Entry]:
    root = yaml.compose(text, Loader=BaseLoader)
    if root is None:
        return []
    return [
        Entry(
            key.value,
            source.place(start + key.start_mark.index)[0],
            start + key.end_mark.index,
            start + value.start_mark.index,
            start + _end_of(value),
            getattr(value, "style", None),
        )
        for key, value in root.value
    ]


def _end_of(node: yaml.Node) -> int:
    """Find where a value's own text ends: a block list's mark is beyond what follows it."""
    is_block = isinstance(node, yaml.CollectionNode) and not node.flow_style
    if not is_block or not node.value:
        return int(node.end_mark.index)
    last = node.value[-1]
    return _end_of(last[1] if isinstance(last, tuple) else last)


def _duplicates(entries: Sequence[Entry]) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for entry in entries:
        if entry.name in first:
            yield Problem(
                entry.line,
                1,
                "duplicate-key",
                f"`{cut(words(entry.name), 60)}` is also on line {first[entry.name]}.",
                "Keep one of them.",
            )
        first.setdefault(entry.name, entry.line)


def _values(text: str, entries: Mapping[str, Entry]) -> dict[str, Value]:
    # The fences are our own here, and the lines end as the library expects them.
    body = text.replace("\r\n", "\n").replace("\r", "\n")
    loaded, _ = frontmatter.parse(f"---\n{body}\n---\n", handler=_StrictHandler())
    values: dict[str, Value] = {}
    for name, value in loaded.items():
        if isinstance(value, str):
            says_nothing = not entries[name].style and value in _NULLS
            values[name] = "" if says_nothing else storable(value)
        elif isinstance(value, list) and all(isinstance(item, str) for item in value):
            values[name] = tuple(storable(item) for item in value)
    return values


def _as_read(value: str | int | Sequence[str] | None) -> Value:
    if value is None:
        return ""
    if isinstance(value, (str, int)):
        return words(str(value))
    return tuple(words(item) for item in value)


def _written(matter: FrontMatter, name: str, value: str | int | Sequence[str] | None) -> str:
    wanted = _as_read(value)
    entry = matter.entries.get(name)
    bare = entry is not None and not entry.style and entry.end > entry.start
    # A word that stood without quotes keeps standing so: `status: open # …` stays in its style.
    if bare and isinstance(value, str) and _is_plain(words(value)):
        return words(value)
    return yaml_text(int(value) if isinstance(value, int) else None if value is None else wanted)


def _is_plain(text: str) -> bool:
    """Tell whether every YAML reader takes text without quotes for that text."""
    return bool(_PLAIN.fullmatch(text)) and yaml.load(text, Loader=SafeLoader) == text


def _spliced(matter: FrontMatter, name: str, written: str) -> bytes:
    source = matter.source
    entry = matter.entries.get(name)
    if entry is None:
        if _NAME.fullmatch(name) is None:
            raise InvalidError(
                f"`{cut(words(name), 60)}` is no name for a field.",
                code="field_name",
                next_step="Use small letters, digits and underscores.",
                where="name",
            )
        at = matter.closing
        return source.splice((at, at, f"{name}: {written}{source.lines[0].ending}"))
    start, end = entry.start, entry.end
    if entry.style in ("|", ">"):
        header = _BLOCK_HEADER.match(source.text, start)
        comment = f" {header[1]}" if header and header[1] else ""
        end = start + len(source.text[start:end].rstrip("\r\n \t"))
        return source.splice((start, end, written + comment))
    colon = source.text.index(":", entry.key_end) + 1
    if start == end:
        return source.splice((colon, colon, f" {written}"))
    above = _LINE_END.search(source.text, colon, start)
    if above is None:
        return source.splice((start, end, written))
    # The value begins on a line below its key's, whose comment stays.
    return source.splice((colon, colon, f" {written}"), (above.start(), end, ""))


def _prove(before: FrontMatter, edited: bytes, name: str, wanted: Value) -> None:
    after = read_front_matter(edited)
    rest_of = dict(before.values)
    rest_of[name] = wanted
    same_body = after.source.text[after.body :] == before.source.text[before.body :]
    if after.problems or dict(after.values) != rest_of or not same_body:
        raise unproven(f"`{name}`", f"line {before.line(name)}")
