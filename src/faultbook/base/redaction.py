"""Secrets are taken out before anything is stored, logged or sent.

Patterns and their ids follow gitleaks' rules (https://github.com/gitleaks/gitleaks, `config/`), so
that a marker such as `[REDACTED:github-pat]` says which rule matched. Values of keys that name a
secret (`password=…`) go by the key's name.
"""

import re

_RULES: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "private-key",
        re.compile(
            r"-----BEGIN[ A-Z0-9_-]{0,100}PRIVATE KEY(?: BLOCK)?-----[\s\S]*?"
            r"(?:-----END[ A-Z0-9_-]{0,100}PRIVATE KEY(?: BLOCK)?-----|\Z)"
        ),
    ),
    ("slack-bot-token", re.compile(r"\bxoxb-[0-9A-Za-z-]{10,}")),
    ("slack-user-token", re.compile(r"\bxox[pares]-[0-9A-Za-z-]{10,}")),
    ("slack-app-token", re.compile(r"\bxapp-[0-9A-Za-z-]{10,}")),
    (
        "slack-webhook-url",
        re.compile(r"https://hooks\.slack\.com/(?:services|workflows|triggers)/[\w/+]{20,}"),
    ),
    ("github-fine-grained-pat", re.compile(r"\bgithub_pat_\w{22,}")),
    ("github-pat", re.compile(r"\bgh[pousr]_[0-9A-Za-z]{30,}")),
    ("gitlab-pat", re.compile(r"\bglpat-[\w-]{20,}")),
    ("anthropic-api-key", re.compile(r"\bsk-ant-[\w-]{20,}")),
    ("openai-api-key", re.compile(r"\bsk-(?:proj-|svcacct-|admin-)?[\w-]{20,}")),
    ("stripe-access-token", re.compile(r"\b(?:sk|rk)_(?:test|live|prod)_[0-9A-Za-z]{10,}")),
    ("aws-access-token", re.compile(r"\b(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b")),
    ("gcp-api-key", re.compile(r"\bAIza[\w-]{35}")),
    ("sendgrid-api-token", re.compile(r"\bSG\.[\w-]{20,}\.[\w-]{20,}")),
    ("npm-access-token", re.compile(r"\bnpm_[0-9A-Za-z]{36}")),
    ("pypi-upload-token", re.compile(r"\bpypi-[\w-]{50,}")),
    ("faultbook-token", re.compile(r"\bfb_[0-9A-Za-z]{20,}")),
    ("jwt", re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{5,}")),
)
_AUTHORIZATION = re.compile(r"(?i)\b(authorization\s*:\s*(?:bearer|basic|token)\s+)[^\s'\"]+")
_USERINFO = re.compile(
    r"\b([a-z][a-z0-9+.-]{1,20}://)[^\s/@:'\"]{0,256}:[^\s/@'\"]{1,256}@", re.IGNORECASE
)
_NAMED = re.compile(
    r"(?i)\b([\w-]{0,40}(?:password|passwd|secret|api[_-]?key|access[_-]?key|auth[_-]?token"
    r"|access[_-]?token|private[_-]?key|client[_-]?secret)[\w-]{0,20}['\"]?\s*[:=]\s*)"
    r"(\"[^\"\n]+\"|'[^'\n]+'|[^\s,;&'\"]{3,})"
)
SIGNS = (
    *("-----begin", "xox", "xapp-", "hooks.slack", "github_pat", "glpat", "aiza", "eyj"),
    *("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "sk-", "sg.", "npm_", "pypi-", "fb_"),
    *("sk_test", "sk_live", "sk_prod", "rk_test", "rk_live", "rk_prod"),
    *("a3t", "akia", "asia", "abia", "acca", "authorization", "passw", "secret"),
    *("apikey", "api_key", "api-key", "accesskey", "access_key", "access-key"),
    *("privatekey", "private_key", "private-key", "authtoken", "auth_token", "auth-token"),
    *("accesstoken", "access_token", "access-token"),
)
"""No rule but that of user names in links matches a text, case folded, that has none of these."""


def may_hold_secret(text: str) -> bool:
    """Tell quickly whether a rule could match; it spares most texts the whole list."""
    folded = text.casefold()
    # A plain search for each is several times faster than one pattern of them all.
    for sign in SIGNS:
        if sign in folded:
            return True
    return "://" in folded and "@" in folded


def redact(text: str) -> str:
    """Replace every secret in `text` by a marker that names the rule it matched."""
    if not may_hold_secret(text):
        return text
    for rule, pattern in _RULES:
        text = pattern.sub(f"[REDACTED:{rule}]", text)
    text = _AUTHORIZATION.sub(r"\1[REDACTED:authorization-header]", text)
    text = _USERINFO.sub(r"\1[REDACTED:url-userinfo]@", text)
    return _NAMED.sub(_redact_named, text)


def _redact_named(match: re.Match[str]) -> str:
    if match[2].strip("'\"").startswith("[REDACTED"):
        return match[0]
    return f"{match[1]}[REDACTED:named-secret]"


def redact_or_none(text: str | None) -> str | None:
    """Redact text where there is any."""
    return None if text is None else redact(text)
