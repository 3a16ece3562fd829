"""The house's approval policies, made of its settings."""

from decimal import Decimal
from pathlib import Path

import pytest

from faultbook.assembly.house import open_house, policies_of
from faultbook.base.errors import InvalidError
from faultbook.base.settings import load_settings
from faultbook.model.approval import Action
from faultbook.model.approval_policy import ExecutorPlan, Threshold, Voters

_TEXT = """
[[policies]]
name = "small"
kinds = ["refund", "credit"]
environments = ["production"]
amount_field = "amount"
amount_from = "0"
amount_below = "500"
prevent_self_review = false
ttl_seconds = 60
max_ttl_seconds = 120
reason_to_approve = true
reason_to_deny = true
per_hour = 5
loop_seconds = 7
high_risk = true
channel = "C1"
mention = "S1"
grant_seconds = 9
[[policies.thresholds]]
approve = 2
deny = 3
users = ["U1"]
groups = ["S1"]
channels = ["C1"]
[policies.break_glass]
groups = ["S9"]
[policies.executor]
url = "https://pay.example/refund"
probe = ["./did-it"]
idempotent = true
timeout_seconds = 5

[[policies]]
name = "large"
kinds = ["refund"]
[[policies.thresholds]]
users = ["U2"]
"""


def test_a_house_has_the_policies_of_its_settings_in_their_order(tmp_path: Path) -> None:
    (tmp_path / "faultbook.toml").write_text(_TEXT, "utf-8")
    house = open_house(load_settings({}, tmp_path))
    house.close()
    assert house.policies == policies_of(house.settings)
    small, large = house.policies.all
    assert (small.name, sorted(small.kinds)) == ("small", ["credit", "refund"])
    assert small.environments == {"production"}
    assert (small.amount_field, small.amount_from) == ("amount", Decimal(0))
    assert small.amount_below == Decimal(500)
    assert (small.prevent_self_review, large.prevent_self_review) == (False, True)
    assert (small.ttl_seconds, small.max_ttl_seconds) == (60, 120)
    assert (small.reason_to_approve, small.reason_to_deny) == (True, True)
    assert (small.per_hour, small.loop_seconds, small.grant_seconds) == (5, 7, 9)
    assert (small.is_high_risk, small.channel, small.mention) == (True, "C1", "S1")
    voters = Voters(frozenset({"U1"}), frozenset({"S1"}), frozenset({"C1"}))
    assert small.thresholds == (Threshold(voters, approve=2, deny=3),)
    assert small.break_glass == Voters(groups=frozenset({"S9"}))
    assert small.executor == ExecutorPlan(
        url="https://pay.example/refund",
        probe=("./did-it",),
        idempotent=True,
        timeout_seconds=5,
    )
    assert (large.channel, large.mention, large.executor) == ("", "", None)
    assert large.break_glass == Voters()


def test_the_first_policy_that_fits_an_action_holds(tmp_path: Path) -> None:
    (tmp_path / "faultbook.toml").write_text(_TEXT, "utf-8")
    policies = policies_of(load_settings({}, tmp_path))
    for amount, name in (("499.99", "small"), ("500", "large"), ("-1", "large")):
        chosen = policies.choose(Action("refund", "c1", "production", {"amount": amount}))
        assert chosen is not None
        assert chosen.name == name
    with pytest.raises(InvalidError, match="Policy `small` goes by the amount in `amount`"):
        policies.choose(Action("refund", "c1", "production", {"amount": "x"}))
    assert policies.choose(Action("deploy", "web", "production")) is None
