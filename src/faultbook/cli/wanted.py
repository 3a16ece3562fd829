"""What a command needs and was not given: asked for on a terminal, named in an error elsewhere."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import click

from faultbook.base.errors import InvalidError
from faultbook.cli.main import explain

_SCISSORS = "# ------------------------ >8 ------------------------"


@dataclass(frozen=True, slots=True)
class Wanted:
    """One thing to be told.

    Attributes:
        name: the parameter's name; its option is the same with hyphens.
        question: how it is asked for.
        long: written in the editor.
        choices: where only these will do.
        default: offered on a terminal; elsewhere it has to be given.
    """

    name: str
    question: str
    long: bool = False
    choices: Sequence[str] = ()
    default: str | None = None

    @property
    def option(self) -> str:
        """Name its option."""
        return f"--{self.name.replace('_', '-')}"


def on_terminal() -> bool:
    """Tell whether somebody can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def completed(given: Mapping[str, str | None], wanted: Sequence[Wanted]) -> dict[str, str]:
    """Give every wanted text: as given, or as answered now.

    Raises:
        InvalidError: something is missing, and nobody can be asked.
    """
    missing = [one for one in wanted if not (given.get(one.name) or "").strip()]
    if missing and not on_terminal():
        named = ", ".join(one.option for one in missing)
        raise InvalidError(
            f"Missing: {named}.",
            code="missing_options",
            next_step="Give them, or run the command on a terminal, which asks for them.",
            where=missing[0].option,
        )
    told = {one.name: given.get(one.name) or "" for one in wanted}
    return told | {one.name: _ask(one) for one in missing}


def _ask(wanted: Wanted) -> str:
    if wanted.long:
        return _edited(wanted.question)
    kind = click.Choice(list(wanted.choices)) if wanted.choices else None
    answer: str = click.prompt(wanted.question, default=wanted.default, type=kind, err=True)
    return answer.strip()


def _edited(question: str) -> str:
    """Take a long text from the editor; without one, from the terminal."""
    try:
        text = click.edit(f"\n{_SCISSORS}\n# {question}\n# Write above the line.\n")
    except click.ClickException:  # there is no editor
        text = None
    told = (text or "").partition(_SCISSORS)[0].strip()
    return told or str(click.prompt(question, err=True)).strip()


def until_accepted(told: dict[str, str], name: str, check: Callable[[str], None]) -> None:
    """Check a text, and on a terminal ask again until it is accepted; `told` gets the last.

    Raises:
        InvalidError: it is refused, and nobody can be asked.
    """
    while True:
        try:
            return check(told[name])
        except InvalidError as error:
            if not on_terminal():
                raise
            explain(error)
            told[name] = str(click.prompt("Again", err=True)).strip()
