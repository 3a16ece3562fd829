"""Reading a ledger of 10 000 rows: `ledger check` beside a bare parse of it, and a search in it."""

import random
import statistics
import subprocess
import sys
import time
from pathlib import Path

from faultbook.ledger.search import LessonIndex
from faultbook.model.lesson import Lesson
from tests.ledger.remotes import HEADER, LEDGER, git

_ROWS, _ROUNDS, _QUESTIONS = 10_000, 7, 300
_PARSE = """
import sys
from pathlib import Path
from markdown_it import MarkdownIt
parser = MarkdownIt("commonmark").enable("table")
for rule in parser.get_active_rules()["core"]:
    if rule not in ("normalize", "block"):
        parser.core.ruler.disable(rule)
parser.parse(Path(sys.argv[1]).read_text("utf-8"))
"""


def check(home: Path) -> list[str]:
    """Time the command from start to exit, beside an interpreter that only parses the file."""
    git(home, "init", "-q", "-b", "main")
    path = home / LEDGER
    path.parent.mkdir()
    path.write_text(HEADER + "".join(_row(lesson) for lesson in _lessons()), "utf-8")
    ours, bare = [], []
    for _ in range(_ROUNDS):
        ours.append(_seconds(home, "-m", "faultbook", "ledger", "check"))
        bare.append(_seconds(home, "-c", _PARSE, str(path)))
    mine, floor = statistics.median(ours), statistics.median(bare)
    return [
        (
            f"{_ROWS:,} rows: {mine:.2f} s, a bare interpreter that parses them {floor:.2f} s:"
            f" {mine / floor:.2f} times that (must 2)"
        )
    ]


def search(home: Path) -> list[str]:
    """Time single questions to an index that is ready."""
    del home
    index = LessonIndex.build(_lessons())
    chance = random.Random(2)  # noqa: S311 - made-up questions
    took = []
    for _ in range(_QUESTIONS):
        question = _text(chance, 4)
        began = time.perf_counter()
        index.search(question)
        took.append((time.perf_counter() - began) * 1000)
    took.sort()
    return [
        (
            f"{_ROWS:,} lessons: p50 {statistics.median(took):.1f} ms,"
            f" p99 {took[len(took) * 99 // 100]:.1f} ms (must 20 ms)"
        )
    ]


def _seconds(home: Path, *arguments: str) -> float:
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *arguments], cwd=home, capture_output=True, text=True, check=False
    )
    took = time.perf_counter() - began
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    return took


_SYLLABLES = [f"{a}{b}{c}" for a in "bdfgklmnprst" for b in "aeiou" for c in "bdfgklmnprst"]
_FREQUENCY = [1 / (1 + at) for at in range(len(_SYLLABLES))]  # as in any language (Zipf's law)


def _text(chance: random.Random, words: int) -> str:
    return " ".join(chance.choices(_SYLLABLES, _FREQUENCY, k=words))


def _lessons() -> list[Lesson]:
    chance = random.Random(1)  # noqa: S311 - made-up lessons
    return [
        Lesson(number, _text(chance, 15), _text(chance, 12), _text(chance, 14))
        for number in range(1, _ROWS + 1)
    ]


def _row(lesson: Lesson) -> str:
    return f"| {lesson.number} | {lesson.what_failed} | {lesson.fix} | {lesson.rule} |\n"
