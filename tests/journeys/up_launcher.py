"""`faultbook up` as it is, but for Slack's pace: `python -m tests.journeys.up_launcher --port N`.

The local workspace takes calls as fast as they come, and hundreds of tasks are to end in a minute.
LATE_CLOSE_SECONDS says how long after its time limit an attempt may still be closed.
"""

import functools
import os
import sys

from faultbook.assembly import up
from faultbook.assembly.bot import BotOptions, start_bot
from faultbook.cli.main import main
from faultbook.delivery.slack.pace import CALLS_A_MINUTE
from faultbook.operations import attempts

if __name__ == "__main__":
    CALLS_A_MINUTE.update(dict.fromkeys(CALLS_A_MINUTE, 60_000))
    if "LATE_CLOSE_SECONDS" in os.environ:
        attempts._LATE_CLOSE_SECONDS = float(os.environ["LATE_CLOSE_SECONDS"])
    options = BotOptions(channel_seconds=0.0, posts_a_minute=60_000, ping_seconds=0.4)
    setattr(up, "start_bot", functools.partial(start_bot, options=options))  # noqa: B010 - see above
    sys.argv[1:1] = ["up"]
    main()
