"""Block Kit's rules: which blocks may stand where, how long, how many."""

from faultbook.sandbox.blockkit.report import Problem
from faultbook.sandbox.blockkit.surfaces import (
    check_message,
    check_view,
    text_length,
)

__all__ = ["Problem", "check_message", "check_view", "text_length"]
