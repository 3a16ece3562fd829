"""Identifiers: UUIDv7 for records (RFC 9562), and the short form that people read."""

import uuid_utils


def new_id() -> str:
    """Make a new UUIDv7, the id of runs and notices."""
    return str(uuid_utils.uuid7())


def short_id(identifier: str) -> str:
    """Give the last 8 characters, which differ between neighbours.

    The first 8 of a UUIDv7 are a clock and are shared for about a minute.
    """
    return identifier[-8:]
