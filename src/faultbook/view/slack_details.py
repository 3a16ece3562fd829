"""The Details modal: for each series why, by which findings, and what can be read of its evidence.

Evidence is shown where the person is: the first lines of artifacts and the last lines of output,
since a path on some host is of no use in Slack.
"""

from collections.abc import Iterator, Mapping

from faultbook.base.text import visible
from faultbook.model.answer import FailingAnswer
from faultbook.model.evidence import Artifact
from faultbook.model.run import RunRecord
from faultbook.model.timeline import Timeline
from faultbook.view.actions import MODAL_SHOWN, TIMELINE_OPEN
from faultbook.view.failing_lines import footer, headline
from faultbook.view.lines import (
    Bold,
    Code,
    Line,
    Link,
    Rich,
    Span,
    code_block,
    cut_escaped,
    escape,
    join,
    mrkdwn,
    name,
    safe_url,
    version,
    words,
)
from faultbook.view.message import Block
from faultbook.view.slack_blocks import (
    BLOCKS_A_MODAL,
    CHARACTERS_A_TEXT,
    button,
    context,
    divider,
    modal,
    raw_section,
    section,
)
from faultbook.view.slack_modals import series_section, within_bytes
from faultbook.view.timeline_lines import elapsed, table

DETAILED = 8
"""How many series are told in full."""

_FINDINGS = 8
_ARTIFACTS = 3
_EXCERPT = 900
_OUTPUT = 1500
_EVENTS = 8
_FINDING_WORDS = 600


def detailed_runs(answer: FailingAnswer) -> list[str]:
    """Name the runs that `details_modal` needs: those that the first series rest on."""
    marks = (series.basis_run for series in answer.series[:DETAILED])
    return [mark.run_id for mark in marks if mark is not None]


def details_modal(answer: FailingAnswer, timelines: Mapping[str, Timeline]) -> Block:
    """Show the first series in full; `timelines` holds their runs, by id."""
    blocks: list[Block] = [section([headline(answer)])]
    left_out = max(0, len(answer.series) - DETAILED)
    for series in answer.series[:DETAILED]:
        found = timelines.get(series.basis_run.run_id) if series.basis_run else None
        blocks += [divider(), series_section(series, answer)]
        blocks += run_blocks(found) if found else ()
    if len(blocks) >= BLOCKS_A_MODAL:
        blocks = blocks[: BLOCKS_A_MODAL - 2]
        blocks.append(context([["More than a modal can hold; the rest was left out."]]))
    closing: list[Line] = [[f"and {left_out} more"]] if left_out else []
    blocks.append(context([*closing, footer(answer)]))
    return modal("Details", within_bytes(blocks), callback_id=MODAL_SHOWN)


def run_blocks(timeline: Timeline) -> Iterator[Block]:
    """Show why a run came out so, its evidence, its last output, and its events if there are."""
    run = timeline.run
    if run.findings:
        yield section([_finding(run, at) for at in range(min(_FINDINGS, len(run.findings)))])
    for artifact in run.artifacts[:_ARTIFACTS]:
        yield _artifact(artifact)
    if len(run.artifacts) > _ARTIFACTS:
        yield context([[f"and {len(run.artifacts) - _ARTIFACTS} more artifacts"]])
    for stream, tail in (("output", run.stdout_tail), ("errors", run.stderr_tail)):
        if tail and tail.strip():
            yield _titled_code([f"Last {stream}"], tail, _OUTPUT, from_end=True)
    if timeline.events:
        told = "\n".join(table(timeline)[: 1 + _EVENTS])
        yield _titled_code(["Events"], told, _OUTPUT)
    yield context([_identity(run)])
    yield section(
        [["Run ", Code(run.run_id[-8:])]],
        button("Timeline", TIMELINE_OPEN, run.run_id, about=f"of run {run.run_id[-8:]}"),
    )


def _finding(run: RunRecord, at: int) -> Line:
    finding = run.findings[at]
    kind = f" ({finding.failure_class.value})" if finding.failure_class else ""
    room = _FINDING_WORDS // (1 + at)  # the deciding one whole, the others in short
    detail = words(finding.detail, room) if finding.detail else ""
    return [
        f"{finding.verdict.value}: ",
        Code(finding.reason.value),
        f"{kind}{': ' if detail else ''}{_fitting(detail, room)}",
    ]


def _artifact(artifact: Artifact) -> Block:
    url = safe_url(artifact.uri)
    label: Span = Bold(name(artifact.name)) if url is None else Link(url, name(artifact.name))
    facts: list[Line] = [[label], [artifact.check.value]]
    if artifact.size is not None:
        facts.append([f"{artifact.size} bytes"])
    if artifact.sha256 is not None:
        facts.append(["sha256 ", Code(artifact.sha256[:12])])
    if artifact.detail:
        facts.append([_fitting(words(artifact.detail), 300)])
    title = join(facts)
    if artifact.excerpt and artifact.excerpt.strip():
        return _titled_code(title, artifact.excerpt, _EXCERPT)
    return section([title])


def _identity(run: RunRecord) -> Line:
    start = run.start
    parts: list[Line] = []
    if start.agent_name:
        parts.append(["by ", name(start.agent_name)])
    if start.code_version:
        parts.append(["at ", Code(version(start.code_version))])
    parts.append([f"attempt {start.attempt}"])
    if run.exit_code is not None:
        parts.append([f"exit code {run.exit_code}"])
    if run.ended_at is not None:
        parts.append([f"took {elapsed(run.ended_at - start.started_at)}"])
    url = safe_url(start.url)
    if url is not None:
        parts.append([Link(url, "open the run")])
    return join(parts, [Rich(" · ")])


def _titled_code(title: Line, text: str, length: int, *, from_end: bool = False) -> Block:
    """Show lines letter by letter under a title, within a section's limit once escaped."""
    head = mrkdwn(title)
    room = min(length, CHARACTERS_A_TEXT - len(head) - len("\n``````"))
    shown = _fitting(visible(text).strip("\n"), room, from_end=from_end)
    return raw_section(f"{head}\n{code_block(shown)}")


def _fitting(text: str, room: int, *, from_end: bool = False) -> str:
    """Cut text so that it fits once escaped; from its end where the end says more."""
    if len(escape(text)) <= room:
        return text
    kept = cut_escaped(text, room - 1, from_end=from_end)
    return f"…{kept}" if from_end else f"{kept}…"
