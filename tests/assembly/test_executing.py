"""What `faultbook up` does about approvals: executes, posts outcomes, keeps their time."""

import asyncio
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from faultbook.assembly.executing import settings_say, start_execution, start_webhooks, sweep_due
from faultbook.assembly.house import House, open_house, read_settings
from faultbook.base.errors import InvalidError
from faultbook.model.approval import ApprovalState
from faultbook.store.notices import next_due
from tests.approving import approved, ask, everybody_is_there, read
from tests.conftest import FrozenClock
from tests.delivery.receiver import receiving

POLICY = """
[[policies]]
name = "refund-prod"
kinds = ["refund"]
loop_seconds = 0
[[policies.thresholds]]
users = ["UBEN"]
[policies.executor]
command = ["{python}", "-S", "go.py"]
"""
GROUPS = POLICY.replace("refund", "payout").replace(
    "[policies.exec", 'groups = ["SFIN"]\n[policies.exec'
)
SECRET = "0123456789abcdef"


def house_of(folder: Path, more: str = "", **environ: str) -> House:
    (folder / "faultbook.toml").write_text((POLICY + more).format(python=sys.executable))
    (folder / "go.py").write_text("import os\nopen('ran', 'w').write(os.environ['PATH'])")
    settings = read_settings({"FAULTBOOK_HOME": str(folder / "home"), **environ}, folder)
    return open_house(settings, FrozenClock())


async def test_what_is_approved_runs_where_the_settings_are_and_its_outcome_is_posted(
    tmp_path: Path,
) -> None:
    async with receiving() as receiver, AsyncExitStack() as stack:
        allow = f'[webhooks]\nallow = ["{receiver.place}"]\n'
        house = house_of(tmp_path, allow, FAULTBOOK_WEBHOOK_SECRET=SECRET)
        stack.callback(house.close)
        await start_webhooks(house, stack)
        await start_execution(house, stack, everybody_is_there)
        made = approved(house.store, house.policies, webhook=receiver.url)
        await receiver.wait_for(2)
        done = read(house.store, made.number)
        assert done.state is ApprovalState.EXECUTED
        assert (tmp_path / "ran").exists()
        assert (tmp_path / "home" / "executions").is_dir()


async def test_without_slack_what_ids_decide_is_executed_and_nothing_that_counts_on_groups(
    tmp_path: Path,
) -> None:
    async with AsyncExitStack() as stack:
        house = house_of(tmp_path, GROUPS)
        stack.callback(house.close)
        await start_execution(house, stack, settings_say)
        by_group = approved(house.store, house.policies, "payout")
        by_id = approved(house.store, house.policies)
        async with asyncio.timeout(20):
            while read(house.store, by_id.number).state is not ApprovalState.EXECUTED:  # noqa: ASYNC110 - another thread writes it
                await asyncio.sleep(0.02)
        assert read(house.store, by_group.number).state is ApprovalState.APPROVED


def test_requests_expire_by_the_sweep_and_nothing_is_written_before(tmp_path: Path) -> None:
    house = house_of(tmp_path)
    try:
        made = ask(house.store, house.policies)
        sweep_due(house)
        assert read(house.store, made.number).state is ApprovalState.PENDING
        assert isinstance(house.clock, FrozenClock)
        house.clock.advance(3601)
        sweep_due(house)
        assert read(house.store, made.number).state is ApprovalState.EXPIRED
        assert house.store.read(next_due, webhooks=True) is None
    finally:
        house.close()


def test_executors_secrets_are_no_settings_and_the_webhooks_is_none_of_the_file(
    tmp_path: Path,
) -> None:
    known = {"FAULTBOOK_SECRET_BANK": "b", "FAULTBOOK_SECRET_CRM_FILE": "/nowhere"}
    asked = {"FAULTBOOK_APPROVAL_ID": "A-7", "FAULTBOOK_APPROVAL_DIGEST": "ab"}
    assert read_settings(known | asked, tmp_path).webhook_secret is None
    (tmp_path / "faultbook.toml").write_text(f'webhook_secret = "{SECRET}"\n')
    with pytest.raises(InvalidError, match="does not belong in the file") as refused:
        read_settings({}, tmp_path)
    assert "FAULTBOOK_WEBHOOK_SECRET" in refused.value.next_step
    (tmp_path / "faultbook.toml").write_text('[webhooks]\nallow = ["127.0.0.1"]\n')
    with pytest.raises(InvalidError, match="host:port"):
        read_settings({}, tmp_path)
