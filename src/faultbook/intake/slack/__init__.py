"""Slack, coming in: mentions, messages, commands, clicks."""
