"""Shared type names, and the small helpers that read loosely typed JSON."""

from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]


def as_dict(value: object) -> Json:
    """Gives the value if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: object) -> list[Any]:
    """Gives the value if it is a JSON array, else an empty one."""
    return value if isinstance(value, list) else []


def as_text(value: object, default: str = "") -> str:
    """Gives the value if it is a string, else the default."""
    return value if isinstance(value, str) else default
