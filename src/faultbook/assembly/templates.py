"""Where the files of `templates/` are: inside an installed package, or in the repository."""

from pathlib import Path

import faultbook

_PACKAGE = Path(faultbook.__file__).parent


def template(name: str) -> Path:
    """Give the path of a template by its name below `templates/`."""
    installed = _PACKAGE / "templates"
    folder = installed if installed.is_dir() else _PACKAGE.parents[1] / "templates"
    return folder / name
