"""Webhooks: the outcomes of approvals, signed and posted to where agents asked for them."""
