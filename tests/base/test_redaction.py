"""No secret gets past redaction; ordinary text does, unchanged."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultbook.base.redaction import redact

# Made up, and put together here so that no scanner takes them for real ones.
SECRETS = {
    "slack-bot-token": "xoxb-" + "123456789012-1234567890123-" + "a" * 24,
    "slack-app-token": "xapp-" + "1-A0123456789-1234567890123-" + "b" * 64,
    "github-pat": "ghp_" + "a1B2" * 9,
    "github-fine-grained-pat": "github_pat_" + "a1B2c3" * 10,
    "gitlab-pat": "glpat-" + "a1B2c3D4e5F6g7H8i9J0",
    "anthropic-api-key": "sk-ant-" + "api03-" + "x" * 40,
    "openai-api-key": "sk-" + "proj-" + "y" * 40,
    "stripe-access-token": "sk_" + "live_" + "z9" * 12,
    "aws-access-token": "AKIA" + "IOSFODNN7EXAMPLE",
    "gcp-api-key": "AIza" + "Sy" + "a" * 33,
    "npm-access-token": "npm_" + "a1" * 18,
    "faultbook-token": "fb_" + "a1B2" * 9,
    "jwt": "eyJ" + "hbGciOiJIUzI1NiJ9" + ".eyJ" + "zdWIiOiIxMjM0NTY3ODkwIn0" + ".c2ln" + "bmF0",
    "private-key": "-----BEGIN RSA PRIVATE KEY-----\nMIIB\nabc\n-----END RSA PRIVATE KEY-----",
}


@pytest.mark.parametrize("rule", SECRETS)
def test_each_kind_of_secret_is_replaced_by_a_marker_that_names_it(rule: str) -> None:
    secret = SECRETS[rule]
    cleaned = redact(f"before {secret} after")
    assert secret not in cleaned
    assert f"[REDACTED:{rule}]" in cleaned
    assert cleaned.startswith("before ")
    assert cleaned.endswith(" after")


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("password=hunter22", "hunter22"),
        ('{"api_key": "abcdef123"}', "abcdef123"),
        ("Authorization: Bearer abc.def", "abc.def"),
        ("postgresql://app:s3cret@db.local/x", "s3cret"),
        ("CLIENT_SECRET: 'two words'", "two words"),
        ("-----BEGIN PRIVATE KEY-----\ncut off here", "cut off here"),
    ],
)
def test_secrets_are_known_by_where_they_stand_too(text: str, hidden: str) -> None:
    assert hidden not in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "40 invoices written to out/report.pdf",
        "exit code 1: keyboard not found",
        "commit a1b2c3d4e5f6a7b8c9d0a1b2c3d4e5f6a7b8c9d0",
        "https://ci.example.com/runs/12?page=2",
    ],
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert redact(text) == text


@given(st.text(max_size=300), st.sampled_from(sorted(SECRETS.values())), st.text(max_size=300))
def test_a_secret_is_gone_whatever_stands_around_it(before: str, secret: str, after: str) -> None:
    assert secret not in redact(f"{before}\n{secret}\n{after}")


@given(st.text(max_size=500))
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    once = redact(text)
    assert redact(once) == once
