"""Slack, going out: the paced queue of notices."""
