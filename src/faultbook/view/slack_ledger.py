"""What the bot says once a change of the ledger came to something in git."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from faultbook.model.ledger_operation import (
    LedgerOperation,
    LedgerOperationState,
    LedgerQueue,
    LedgerVerb,
    PushedFinding,
)
from faultbook.view.actions import INCIDENT_CLOSE, LEDGER_APPLY, LEDGER_DROP, LINK
from faultbook.view.lines import Code, Line, join, name, safe_url, strong, version, words
from faultbook.view.message import Block, Message
from faultbook.view.slack_blocks import actions, button, context, link_button, section
from faultbook.view.slack_words import coded, note_message
from faultbook.view.spoken import spoken_text

_TITLE = 120
_RULE = 450
_TEXT = 250
_PATH = 150


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an operation came to, and what is needed to tell it.

    Attributes:
        web_url: how people read a file, with `{path}` in it; None where no page shows files.
    """

    operation: LedgerOperation
    web_url: str | None = None

    def text(self, key: str) -> str:
        """Give what was asked for under a key, or nothing."""
        return str(self.operation.payload.get(key) or "")

    @property
    def number(self) -> int | None:
        """The lesson it is about."""
        result, payload = self.operation.result, self.operation.payload
        found = result.get("number") or payload.get("number")
        return found if isinstance(found, int) else None

    @property
    def path(self) -> str:
        """The file it is about; empty where it is about none."""
        return str(self.operation.result.get("path") or self.text("path"))

    @property
    def file_url(self) -> str | None:
        """Where the file can be read."""
        if self.web_url is None or not self.path:
            return None
        return safe_url(self.web_url.replace("{path}", quote(self.path, errors="replace")))


def settled_message(outcome: Outcome) -> Message:
    """Say that a change is on the main branch, or on a branch that a person merges."""
    told, buttons = _TOLD[outcome.operation.verb](outcome)
    branch = _branch(outcome)
    lines = [*told, *([branch] if branch else [])]
    blocks = [section([line]) for line in lines]
    where = _where(outcome)
    if where:
        blocks.append(context([where]))
    text = spoken_text(lines, (), [where] if where else (), 0)
    return Message(text, [*blocks, *actions(buttons)])


def _opened(outcome: Outcome) -> tuple[list[Line], list[Block]]:
    title = name(outcome.text("title"), _TITLE)
    severity = name(outcome.text("severity"), 20).capitalize()
    head: Line = [
        *strong("Incident opened: ", title, "."),
        f" {severity}, owner {name(outcome.text('owner'))}",
    ]
    rule: Line = ["Rule: ", *coded(outcome.text("prevention_rule"), _RULE)]
    close: list[Block] = []
    if outcome.operation.state is LedgerOperationState.PUSHED:
        close = [button("Close incident", INCIDENT_CLOSE, outcome.operation.id, about=title)]
    return [head, rule], [*_open_file(outcome), *close]


def _closed(outcome: Outcome) -> tuple[list[Line], list[Block]]:
    title = name(outcome.text("title") or outcome.path, _TITLE)
    proof: Line = ["Verified by: ", *coded(outcome.text("verification"), _RULE)]
    return [strong("Incident closed: ", title, "."), proof], _open_file(outcome)


def _cell_set(outcome: Outcome) -> tuple[list[Line], list[Block]]:
    head = strong(f"Lesson {outcome.number} changed.")
    return [head, ["Rule: ", *coded(outcome.text("text"), _RULE)]], []


def _added(outcome: Outcome) -> tuple[list[Line], list[Block]]:
    named = "" if outcome.number is None else f" {outcome.number}"
    return [strong(f"Lesson{named} added."), ["Rule: ", *coded(outcome.text("rule"), _RULE)]], []


def _retired(outcome: Outcome) -> tuple[list[Line], list[Block]]:
    by = outcome.operation.payload.get("superseded_by")
    see = f" See lesson {by}." if by else ""
    return [[*strong(f"Lesson {outcome.number} retired."), see, *_because(outcome)]], []


def _because(outcome: Outcome) -> Line:
    why = words(outcome.text("why"), _TEXT)
    return [f" {why}"] if why else []


def _numbered(outcome: Outcome) -> tuple[list[Line], list[Block]]:
    del outcome
    return [strong("New lessons got their numbers.")], []


_TOLD: dict[LedgerVerb, Callable[[Outcome], tuple[list[Line], list[Block]]]] = {
    LedgerVerb.OPEN_INCIDENT: _opened,
    LedgerVerb.CLOSE_INCIDENT: _closed,
    LedgerVerb.SET_CELL: _cell_set,
    LedgerVerb.ADD_LESSON: _added,
    LedgerVerb.RETIRE_LESSON: _retired,
    LedgerVerb.NUMBER_NEW_ROWS: _numbered,
}


def _branch(outcome: Outcome) -> Line:
    if outcome.operation.state is not LedgerOperationState.ON_BRANCH:
        return []
    branch = name(str(outcome.operation.result.get("branch") or ""))
    return [*strong("On branch ", Code(branch), ":"), " main is protected; merge it."]


def _where(outcome: Outcome) -> Line:
    """Name file, lesson and commit."""
    commit = str(outcome.operation.result.get("commit") or "")
    lesson: Line = [] if outcome.number is None else [f"lesson {outcome.number}"]
    parts: list[Line] = [[Code(name(outcome.path, _PATH))] if outcome.path else [], lesson]
    parts.append([Code(version(commit))] if commit else [])
    return join(part for part in parts if part)


def _open_file(outcome: Outcome) -> list[Block]:
    url = outcome.file_url
    return [] if url is None else [link_button("Open file", LINK, url, about=outcome.path)]


def waiting_message(operation: LedgerOperation, queue: LedgerQueue) -> Message:
    """Say that a change is saved and not pushed, how many wait, and why."""
    count = max(1, queue.waiting)
    wait = "1 operation waits" if count == 1 else f"{count} operations wait"
    head: Line = [*strong("Saved, not pushed:"), f" git doesn't answer; {wait}."]
    why = words(operation.error or queue.error, _TEXT)
    small: list[Line] = [[why]] if why else []
    blocks = [section([head]), *([context(small)] if small else [])]
    return Message(spoken_text([head], (), small, 0), blocks)


def conflict_message(operation: LedgerOperation) -> Message:
    """Show both texts, and ask whose shall stand."""
    outcome = Outcome(operation)
    about = name(outcome.path, _PATH) if outcome.path else "It"
    if outcome.number is not None:
        about = f"Lesson {outcome.number}"
    who = operation.result.get("who")
    changed = f"{about} was changed meanwhile; that text stays."
    if who:
        changed = f"{name(str(who))} changed {about[:1].lower()}{about[1:]} meanwhile; it stays."
    theirs = _quoted("There now: ", str(operation.result.get("theirs") or ""))
    mine = _quoted("Yours: ", str(operation.result.get("mine") or ""))
    lines: list[Line] = [strong(changed), theirs, mine]
    choices = [
        button("Apply mine", LEDGER_APPLY, operation.id, about=f"to {about}"),
        button("Drop mine", LEDGER_DROP, operation.id, about=f"for {about}"),
    ]
    blocks = [section([line]) for line in lines]
    return Message(spoken_text(lines, (), (), 0), [*blocks, *actions(choices)])


def _quoted(label: str, text: str) -> Line:
    return [label, "“", *coded(text, _RULE), "”"]


def dropped_message() -> Message:
    """Say what a person's choice came to, to them alone."""
    return note_message(["Yours is dropped; the text that is there stays."])


def refused_message(operation: LedgerOperation) -> Message:
    """Say why a change can't be made; nothing of it is in git."""
    head: Line = [*strong("Not written to the ledger."), " ", *coded(operation.error)]
    step = coded(str(operation.result.get("next_step") or ""))
    code = str(operation.result.get("code") or "")
    more = join([line for line in (step, [Code(name(code))] if code else []) if line], [" "])
    lines = [line for line in (head, more) if line]
    return Message(spoken_text(lines, (), (), 0), [section(lines)])


def finding_message(findings: Sequence[PushedFinding], more: int, commit: str) -> Message:
    """Say what is wrong in files that a person pushed, each with its line and next step."""
    people = list(dict.fromkeys(name(one.who) for one in findings if one.who))
    by: Line = [" by ", ", ".join(people[:3])] if people else []
    count = len(findings) + more
    problems = "1 problem was" if count == 1 else f"{count} problems were"
    head: Line = [*strong(f"{problems} pushed"), *by, ", at ", Code(version(commit)), "."]
    told = [_finding(one) for one in findings]
    tail: list[Line] = [[f"and {more} more"]] if more else []
    tail.append(["See all: ", Code("faultbook ledger check")])
    blocks = [section([head]), *(section([line]) for line in told), context(tail)]
    return Message(spoken_text([head], told, tail, 0), blocks)


def _finding(found: PushedFinding) -> Line:
    return [
        Code(f"{name(found.path, 100)}:{found.line}"),
        " ",
        Code(name(found.code)),
        " ",
        *coded(words(found.message, 150)),
        *([" ", *coded(words(found.next_step, 150))] if found.next_step else []),
    ]


def git_queue_line(queue: LedgerQueue) -> Line:
    """Say in Home's small print how the ledger in git stands."""
    if queue.waiting:
        wait = "1 operation waits" if queue.waiting == 1 else f"{queue.waiting} operations wait"
        why = words(queue.error, 100)
        return [f"Git: {wait} ({why})." if why else f"Git: {wait}."]
    if queue.error:
        return [f"Git: {words(queue.error, 100)}"]
    if queue.commit is None:
        return []
    return ["Git: everything is pushed, at ", Code(version(queue.commit)), "."]


def read_findings(payload: dict[str, Any]) -> tuple[list[PushedFinding], int, str]:
    """Take pushed findings back from a notice's payload."""
    findings = [PushedFinding(**one) for one in payload["findings"]]
    return findings, int(payload.get("more") or 0), str(payload.get("commit") or "")
