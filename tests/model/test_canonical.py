"""Canonical JSON: equal actions have equal digests, and nothing is hashed that can't be shown."""

import json
import random
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultbook.base.errors import InvalidError, TooLargeError
from faultbook.model.canonical import (
    LARGEST_ACTION,
    canonical,
    check_json,
    check_size,
    digest_of,
)
from faultbook.operations.approval_requests import check_action

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=12,
)


def _shuffled(value: Any, order: random.Random) -> Any:  # noqa: ANN401 - JSON of any kind
    if isinstance(value, dict):
        keys = list(value)
        order.shuffle(keys)
        return {key: _shuffled(value[key], order) for key in keys}
    if isinstance(value, list):
        return [_shuffled(item, order) for item in value]
    return value


def _is_like(one: Any, other: Any) -> bool:  # noqa: ANN401 - JSON of any kind
    """Compare as JSON does, to which True is not 1."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


@given(value=_JSON, order=st.randoms(use_true_random=False))
def test_the_same_value_has_the_same_digest_whatever_the_order_of_its_keys(
    value: Any,  # noqa: ANN401 - JSON of any kind
    order: random.Random,
) -> None:
    again = _shuffled(value, order)
    assert digest_of(again) == digest_of(value)
    assert json.loads(canonical(value)) == value


@given(one=_JSON, other=_JSON)
def test_different_values_have_different_digests(one: Any, other: Any) -> None:  # noqa: ANN401 - JSON of any kind
    assert (digest_of(one) == digest_of(other)) == _is_like(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1}, {"a": True}),
        ({"a": 1}, {"a": "1"}),
        ({"a": 0}, {"a": False}),
        ({"a": None}, {}),
        ({"a": ""}, {"a": None}),
        ({"a": [1, 2]}, {"a": [2, 1]}),
        ({"a": {"b": 1}}, {"a": [{"b": 1}]}),
        ({"ab": "c"}, {"a": "bc"}),
        ({"a": "\u00e9"}, {"a": "e\u0301"}),
        ({"a": "120.00"}, {"a": "120.0"}),
    ],
)
def test_what_looks_alike_is_told_apart(one: object, other: object) -> None:
    assert digest_of(one) != digest_of(other)


def test_keys_are_in_the_order_of_their_utf_16_units() -> None:
    """RFC 8785 section 3.2.3: a surrogate pair sorts before U+FB33, as no code point order has."""
    told = {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\u0080": 6, "\u00f6": 7}
    found = list(json.loads(canonical(told)))
    assert found == ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]


def test_the_canonical_form_is_the_standards_own() -> None:
    told = {"b": [True, None, -0, 9007199254740991], "a": '\u20ac$\u000f\nA\'B"\\\\"/'}
    expected = '{"a":"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/","b":[true,null,0,9007199254740991]}'
    assert canonical(told).decode() == expected


@pytest.mark.parametrize(
    ("value", "code", "advice"),
    [
        (1.5, "float_in_action", '"120.00"'),
        (1.0, "float_in_action", '"120.00"'),
        (-0.0, "float_in_action", '"120.00"'),
        (float("nan"), "float_in_action", "JSON"),
        (float("inf"), "float_in_action", "JSON"),
        (2**53, "unfit_in_action", "as a string"),
        (-(2**53), "unfit_in_action", "as a string"),
        pytest.param(10**5000, "unfit_in_action", "as a string", id="5000 digits"),
        ("a\ud800b", "unfit_in_action", "UTF-8"),
        ("\udc00", "unfit_in_action", "UTF-8"),
        (b"bytes", "unfit_in_action", "JSON"),
        (Decimal("1.5"), "unfit_in_action", "JSON"),
        ((1, 2), "unfit_in_action", "JSON"),
        ({1: "a"}, "unfit_in_action", "JSON"),
        ({"a\udfff": 1}, "unfit_in_action", "UTF-8"),
    ],
)
def test_what_readers_take_differently_is_refused_with_its_place(
    value: object, code: str, advice: str
) -> None:
    with pytest.raises(InvalidError) as caught:
        check_json({"lines": [{"amount": value}]}, "parameters")
    assert caught.value.code == code
    assert caught.value.where.startswith("parameters.lines[0].amount")
    assert advice in caught.value.next_step


_TOKEN = "ghp_" + "a1B2" * 9


@pytest.mark.parametrize(
    "parameters",
    [
        {"note": f"use {_TOKEN}"},
        {"token": "xoxb-1234567890-abcdefghij"},
        {"link": "https://ana:hunter2@pay.example/x"},
        {"header": "Authorization: Bearer abc.def"},
        {"password": "hunter2"},
        {"password": "correct horse battery staple"},
        {"password": "x"},
        {"password": 12345678},
        {"db.password": "hunter2"},
        {"passwords": ["fine", {"client_secret": "a b"}]},
        {"password": ["hunter2"]},
        {"apiKey": "abcdef"},
        {"API-KEY": "abc def"},
        {"auth_token": "abc"},
        {"x" * 70 + "_password": "hunter2"},
        {_TOKEN: "a key may be one too"},
        {"key": f"secret:{_TOKEN}"},
        {"password": "secret: hunter2"},
        {"password": "secret:"},
    ],
)
def test_a_secret_is_refused_by_its_pattern_or_its_keys_name(parameters: object) -> None:
    with pytest.raises(InvalidError) as caught:
        check_json(parameters, "parameters")
    assert caught.value.code == "secret_in_action"
    assert "secret:NAME" in caught.value.next_step
    for told in (caught.value.message, caught.value.where):
        assert "hunter2" not in told
        assert _TOKEN not in told


@pytest.mark.parametrize(
    "parameters",
    [
        {"password": "secret:stripe-prod"},
        {"password": ""},
        {"password": None},
        {"has_password": True},
        {"subject": "Reset your password: here is how"[:19]},
        {"card": "tok_visa"},
        {"amount": "120.00", "currency": "EUR", "lines": [1, 2, {"sku": "a-1"}]},
    ],
)
def test_a_named_secret_and_plain_values_pass_as_they_are(parameters: object) -> None:
    assert check_json(parameters, "parameters") == parameters


def test_deep_nesting_is_refused_and_not_a_recursion_error() -> None:
    deep: object = "x"
    for _ in range(900):
        deep = [deep]
    with pytest.raises(InvalidError, match="deeper than 32"):
        check_json(deep, "parameters")
    shallow: object = "x"
    for _ in range(30):
        shallow = {"a": shallow}
    assert check_json(shallow, "parameters") == shallow


def test_an_action_is_held_to_64_kilobytes_of_its_canonical_form() -> None:
    room = LARGEST_ACTION - len(canonical({"a": ""}))
    assert len(check_size({"a": "x" * room}, "parameters")) == LARGEST_ACTION
    with pytest.raises(TooLargeError) as caught:
        check_size({"a": "x" * (room + 1)}, "parameters")
    assert caught.value.code == "action_too_large"
    with pytest.raises(TooLargeError):
        check_action("mail", "all", "production", {"text": "\u20ac" * (LARGEST_ACTION // 3)})


@pytest.mark.parametrize("parameters", [None, [], "amount=1", 7])
def test_parameters_are_an_object(parameters: object) -> None:
    with pytest.raises(InvalidError, match="no object") as caught:
        check_action("refund", "c1", "production", parameters)
    assert caught.value.code == "bad_parameters"


def test_kind_target_and_environment_are_held_to_the_same() -> None:
    with pytest.raises(InvalidError) as caught:
        check_action("refund", _TOKEN, "production", {})
    assert (caught.value.code, caught.value.where) == ("secret_in_action", "action.target")
