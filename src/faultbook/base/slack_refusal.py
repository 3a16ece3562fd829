"""What Slack said when it refused a call, whichever shape the SDK's error carries."""

from collections.abc import Mapping
from dataclasses import dataclass

_UNAUTHORIZED = frozenset(
    {
        "account_inactive",
        "invalid_auth",
        "not_allowed_token_type",
        "not_authed",
        "token_expired",
        "token_revoked",
    }
)
_PASSING = frozenset(
    {
        "accesslimited",
        "fatal_error",
        "internal_error",
        "ratelimited",
        "rate_limited",
        "request_timeout",
        "service_unavailable",
        "team_added_to_org",
    }
)
_TOO_MANY = 429
_SERVER_ERRORS = 500
_RETRY_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refused call.

    Attributes:
        code: Slack's error code; empty when the answer was none of Slack's.
        status: HTTP status; 0 when unknown.
        retry_after: seconds to wait, when Slack limits us.
    """

    code: str
    status: int
    retry_after: float | None = None

    @property
    def is_limited(self) -> bool:
        """Tell whether we were too fast; the call was then certainly not carried out."""
        return self.retry_after is not None

    @property
    def is_unauthorized(self) -> bool:
        """Tell whether the token is the trouble, not the call."""
        return self.code in _UNAUTHORIZED

    @property
    def is_passing(self) -> bool:
        """Tell whether the same call may well succeed later."""
        return self.code in _PASSING or not self.code or self.status >= _SERVER_ERRORS

    @property
    def words(self) -> str:
        """The code, or the status where there is none."""
        return self.code or f"HTTP {self.status}"


def read_refusal(response: object) -> Refusal:
    """Read `SlackApiError.response`: the SDK's response, a dict, or a bare HTTP answer."""
    data = getattr(response, "data", response)
    code = data.get("error") if isinstance(data, Mapping) else None
    status = getattr(response, "status_code", getattr(response, "status", 0))
    status = status if isinstance(status, int) else 0
    code = code if isinstance(code, str) else ""
    limited = status == _TOO_MANY or code in {"ratelimited", "rate_limited"}
    wait = _read_wait(getattr(response, "headers", None)) if limited else None
    return Refusal(code[:80], status, wait)


def _read_wait(headers: object) -> float:
    if isinstance(headers, Mapping):
        for name, value in headers.items():
            if str(name).lower() == "retry-after" and str(value).isdecimal():
                return max(1.0, float(str(value)))
    return _RETRY_SECONDS
