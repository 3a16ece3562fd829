"""Settings of approval policies: what is read, and each way in which one is refused."""

from decimal import Decimal
from pathlib import Path

import pytest

from faultbook.base.errors import InvalidError
from faultbook.base.settings import Settings, load_settings
from faultbook.base.settings_policies import PolicySettings

_WHOLE = """
[[policies]]
name = "refund-prod"
kinds = ["refund"]
environments = ["production"]
amount_field = "amount"
amount_from = "0"
amount_below = "500.50"
prevent_self_review = false
ttl_seconds = 1800
max_ttl_seconds = 7200
reason_to_approve = true
reason_to_deny = true
per_hour = 10
loop_seconds = 60
high_risk = true
channel = "C012"
mention = "S012"
grant_seconds = 120
[[policies.thresholds]]
approve = 2
groups = ["S1"]
[[policies.thresholds]]
deny = 2
users = ["U1", "U2"]
channels = ["C1", "G1"]
[policies.break_glass]
users = ["U9"]
[policies.executor]
command = ["./refund.sh", "--now"]
probe = ["./did-it.sh"]
idempotent = true
timeout_seconds = 30
"""


def _load(folder: Path, text: str) -> Settings:
    (folder / "faultbook.toml").write_text(text, "utf-8")
    return load_settings({}, folder)


def test_a_policy_is_read_whole(tmp_path: Path) -> None:
    [policy] = _load(tmp_path, _WHOLE).policies
    assert policy.kinds == ["refund"]
    assert (policy.amount_from, policy.amount_below) == (Decimal(0), Decimal("500.50"))
    assert [(one.approve, one.deny) for one in policy.thresholds] == [(2, 1), (1, 2)]
    assert policy.thresholds[1].channels == ["C1", "G1"]
    assert policy.break_glass is not None
    assert policy.break_glass.users == ["U9"]
    assert policy.executor is not None
    assert policy.executor.command == ["./refund.sh", "--now"]


def test_what_is_left_out_of_a_policy_is_the_careful_choice(tmp_path: Path) -> None:
    [policy] = _load(tmp_path, _policy()).policies
    assert policy.prevent_self_review
    assert policy.break_glass is None
    assert policy.executor is None
    assert (policy.ttl_seconds, policy.max_ttl_seconds) == (3600, 86_400)


def _policy(lines: str = "", threshold: str = 'users = ["U1"]', after: str = "") -> str:
    return f"""
[[policies]]
name = "refunds"
kinds = ["refund"]
{lines}
[[policies.thresholds]]
{threshold}
{after}
"""


_GLASS = "[policies.break_glass]\n"
_RUNNER = "[policies.executor]\n"
_BARE = '[[policies]]\nname = "refunds"\nkinds = ["refund"]\n'


@pytest.mark.parametrize(
    ("text", "where", "words"),
    [
        (_BARE, "policies.0", "nobody may decide"),
        (_policy(threshold="approve = 1"), "policies.0.thresholds.0", "names nobody"),
        (_policy(threshold="users = []"), "policies.0.thresholds.0", "names nobody"),
        (_policy(threshold='users = [" "]'), "policies.0.thresholds.0.users.0", "Slack shows"),
        (_policy(threshold='users = ["@ana"]'), "policies.0.thresholds.0.users.0", "Slack shows"),
        (
            _policy(threshold='groups = ["finance"]'),
            "policies.0.thresholds.0.groups.0",
            "Slack shows it",
        ),
        (
            _policy(threshold='channels = ["#x"]'),
            "policies.0.thresholds.0.channels.0",
            "Slack shows it",
        ),
        (
            _policy(threshold='users = ["U1"]\napprove = 0'),
            "policies.0.thresholds.0.approve",
            "greater than or equal to 1",
        ),
        (
            _policy(threshold='users = ["U1"]\ndeny = 0'),
            "policies.0.thresholds.0.deny",
            "greater than or equal to 1",
        ),
        (
            _policy(threshold='users = ["U1", "U1"]\napprove = 2'),
            "policies.0.thresholds.0",
            "it takes 2 to decide and names 1",
        ),
        (_policy(after=_GLASS), "policies.0.break_glass", "names nobody"),
        (_policy(after=_GLASS + 'users = ["U1"]'), "policies.0", "add `channel`"),
        (_policy(after=_RUNNER), "policies.0.executor", "either `command` or `url`"),
        (
            _policy(after=_RUNNER + 'command = ["x"]\nurl = "https://x.example"'),
            "policies.0.executor",
            "either `command` or `url`",
        ),
        (_policy(after=_RUNNER + 'command = [" "]'), "policies.0.executor.command", "a program"),
        (_policy(after=_RUNNER + 'url = "file:///x"'), "policies.0.executor.url", "pattern"),
        (_policy('amount_below = "5"'), "policies.0", "need `amount_field`"),
        (_policy('amount_field = "a"'), "policies.0", "needs `amount_from`"),
        (
            _policy('amount_field = "a"\namount_below = 5.5'),
            "policies.0.amount_below",
            "decimals as strings",
        ),
        (
            _policy('amount_field = "a"\namount_below = "much"'),
            "policies.0.amount_below",
            "decimal",
        ),
        (_policy('amount_field = "a"\namount_below = "NaN"'), "policies.0.amount_below", "finite"),
        (
            _policy('amount_field = "a"\namount_from = "5"\namount_below = "5.0"'),
            "policies.0",
            "no amount fits",
        ),
        (_policy("ttl_seconds = 90000"), "policies.0", "more than `max_ttl_seconds`"),
        (_policy("ttl_seconds = 0"), "policies.0.ttl_seconds", "greater than"),
        (_policy("max_ttl_seconds = 1209601"), "policies.0.max_ttl_seconds", "less than"),
        (_policy("per_hour = 0"), "policies.0.per_hour", "greater than"),
        (_policy("grant_seconds = 0"), "policies.0.grant_seconds", "greater than"),
        (_policy('channel = "#finance"'), "policies.0.channel", "Slack shows it"),
        (_policy('mention = "U1"'), "policies.0.mention", "Slack shows it"),
        (_policy() + _policy(), "policies", "two policies are called `refunds`"),
        (_policy().replace('["refund"]', "[]"), "policies.0.kinds", "at least 1"),
        (_policy().replace('["refund"]', '[" "]'), "policies.0.kinds.0", "pattern"),
        (_policy().replace('"refunds"', '"a b"'), "policies.0.name", "pattern"),
    ],
)
def test_a_policy_that_lets_nobody_or_anybody_decide_is_refused_by_name(
    tmp_path: Path, text: str, where: str, words: str
) -> None:
    with pytest.raises(InvalidError, match=r"faultbook\.toml") as caught:
        _load(tmp_path, text)
    assert caught.value.where == where
    assert words in caught.value.message
    assert "Value error" not in caught.value.message


@pytest.mark.parametrize(
    ("text", "where", "nearest"),
    [
        (_policy("environment = []"), "policies.0.environment", "environments"),
        (
            _policy(threshold='users = ["U1"]\naprove = 1'),
            "policies.0.thresholds.0.aprove",
            "approve",
        ),
        (_policy(after=_GLASS + 'user = ["U1"]'), "policies.0.break_glass.user", "users"),
        (_policy(after=_RUNNER + 'comand = ["x"]'), "policies.0.executor.comand", "command"),
        ('[[routes]]\nname = "a"\ncomand = ["x"]', "routes.0.comand", "command"),
    ],
)
def test_an_unknown_key_within_a_list_is_refused_with_the_nearest_of_its_section(
    tmp_path: Path, text: str, where: str, nearest: str
) -> None:
    with pytest.raises(InvalidError) as caught:
        _load(tmp_path, text)
    assert caught.value.where == where
    assert caught.value.next_step == f"Nearest: `{nearest}`."


def test_an_unknown_key_is_told_before_the_one_that_is_missing_for_it(tmp_path: Path) -> None:
    with pytest.raises(InvalidError) as caught:
        _load(tmp_path, _policy().replace("kinds", "kind"))
    assert caught.value.code == "unknown_setting"
    assert "`policies.0.kind` is no setting." in caught.value.message
    assert caught.value.next_step == "Nearest: `kinds`."


def test_a_key_that_has_to_be_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(InvalidError) as caught:
        _load(tmp_path, _policy().replace('kinds = ["refund"]', ""))
    assert caught.value.message.endswith("faultbook.toml: `policies.0.kinds` is missing.")
    assert caught.value.next_step == "Add `kinds`."


def test_a_frozen_policy_is_nobodys_to_change(tmp_path: Path) -> None:
    [policy] = _load(tmp_path, _policy()).policies
    assert isinstance(policy, PolicySettings)
    with pytest.raises(ValueError, match="frozen"):
        policy.per_hour = 1000  # type: ignore[misc]  # what the test is about
