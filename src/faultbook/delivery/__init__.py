"""Delivery: owed side effects are claimed, rendered, sent and settled."""
