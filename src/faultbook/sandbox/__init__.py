"""The local Slack workspace: a Slack-compatible server with one page, on 127.0.0.1.

It is a process of its own and imports nothing else of Faultbook, so that what the bot does here
is what it does against Slack. `faultbook.sandbox.main` starts it; `faultbook.sandbox.control`
describes the control API through which the page and the tests act as people.
"""
