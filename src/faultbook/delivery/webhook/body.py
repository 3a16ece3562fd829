"""What a webhook is told of an approval, and the signature that proves who tells it."""

import hashlib
import hmac
import json

from faultbook.base.clock import SECOND, Instant
from faultbook.model.approval import Approval
from faultbook.model.approval_policy import ApprovalPolicies
from faultbook.view.approval_documents import approval_document

SIGNATURE = "Faultbook-Signature"
"""`t=<unix seconds>,v1=<hexadecimal HMAC-SHA256 of "t.body">`"""
DELIVERY = "Faultbook-Delivery"
"""The same on each attempt to deliver the same thing."""


def outcome_body(asked: Approval, policies: ApprovalPolicies) -> bytes:
    """Write what became of an approval: the same document as the API's, with its type."""
    document = {"type": "approval"} | approval_document(asked, policies)
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def sign(body: bytes, secret: str, now: Instant) -> str:
    """Give the signature of a body that is sent now."""
    at = str(now // SECOND)
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"
