"""What `faultbook up` does for the audit log: notes what changed, advises, tells the head daily."""

import structlog

from faultbook.assembly.house import House
from faultbook.intake.timer.clockwork import Clockwork
from faultbook.operations.approvals import note_policies
from faultbook.operations.auditing import announce_head
from faultbook.store.roles import role_that_may_rewrite

log = structlog.get_logger("audit")

_HEAD_SECONDS = 300


def begin_audit(house: House) -> str | None:
    """Record the policies that changed since the last start; gives advice where there is some.

    A plain function, to be run off the event loop.
    """
    house.store.write(note_policies, house.policies)
    role = house.store.read(role_that_may_rewrite)
    if role is None:
        return None
    advice = (
        f"the database role {role} can rewrite the audit log;"
        " make one that can't: faultbook store roles --help"
    )
    log.warning("audit_role", role=role, why=advice)
    return advice


def tell_heads(house: House, clockwork: Clockwork) -> None:
    """Tell the head once a day in the channel that the settings name, if they name one."""
    channel = house.settings.audit.channel
    if channel:
        clockwork.every(
            "tell-audit-head",
            _HEAD_SECONDS,
            lambda: house.store.write(announce_head, channel),
            at_once=True,
        )
