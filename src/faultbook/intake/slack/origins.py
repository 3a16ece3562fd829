"""Where something began: its outcome is said in that thread, else in that channel."""

import json

from faultbook.intake.slack.payloads import Click, Json
from faultbook.model.draft import Origin
from faultbook.view.message import Block


def origin_of(click: Click) -> Origin:
    """Name the place of a click; in a modal, the place that the modal was opened from."""
    if click.view_id:
        return _carried(click.metadata)
    direct = click.channel.startswith("D")
    own_thread = "" if click.is_ephemeral or direct else click.message_ts
    return Origin(click.channel, click.thread_ts or own_thread)


def seen_from(click: Click) -> Origin:
    """Name where who clicked sees a note: beside the message, not in a thread nobody opened."""
    if click.view_id:
        return _carried(click.metadata)
    return Origin(click.channel, click.thread_ts or "")


def carrying(view: Block, click: Click) -> Block:
    """Let a modal that only shows something carry its origin along, for what is opened from it."""
    return carrying_place(view, origin_of(click))


def carrying_place(view: Block, place: Origin) -> Block:
    """Let a modal that only shows something carry a place along, for what is opened from it."""
    return view | {"private_metadata": json.dumps({"origin": [place.channel, place.thread_ts]})}


def began_on_home(metadata: str) -> bool:
    """Tell whether a modal began on Home: all others carry where they were opened from."""
    return not _carried(metadata).channel


def _carried(metadata: str) -> Origin:
    try:
        found: Json = json.loads(metadata or "{}")
        channel, thread_ts = found["origin"]
    except (ValueError, KeyError, TypeError):
        return Origin()  # Home, and modals that carry something else
    return Origin(str(channel), str(thread_ts))
