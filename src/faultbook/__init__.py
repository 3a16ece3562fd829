"""Faultbook: a Slack bot and a failure ledger for teams that run agents, cron jobs and CI."""
