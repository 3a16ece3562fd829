"""What the output of a command can show, from the stream and the environment."""

import os
import shutil
from collections.abc import Mapping
from typing import TextIO

from faultbook.view.terminal import Look


def read_look(
    stream: TextIO, *, color: bool | None = None, environ: Mapping[str, str] | None = None
) -> Look:
    """Tell how to write to a stream; `color` overrules what stream and environment say.

    NO_COLOR: https://no-color.org. COLUMNS is honoured, as shells set it.
    """
    environ = os.environ if environ is None else environ
    is_terminal = stream.isatty()
    if color is None:
        color = is_terminal and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
    width = shutil.get_terminal_size().columns if is_terminal else None
    return Look(width, color, holds_signs(stream))


def holds_signs(stream: TextIO) -> bool:
    """Tell whether a stream's encoding holds every sign."""
    encoding = (stream.encoding or "ascii").lower().replace("-", "").replace("_", "")
    return encoding in {"utf8", "utf8sig"}
