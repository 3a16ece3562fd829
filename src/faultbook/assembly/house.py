"""What every command starts from: settings read, the store opened, the policy made."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from faultbook.base.clock import Clock, seconds, system_clock
from faultbook.base.settings import Settings, load_settings
from faultbook.model.policy import Policy
from faultbook.store.engine import Store, open_store, sqlite_url


@dataclass(frozen=True, slots=True)
class House:
    """A store with the settings and the policy that go with it."""

    settings: Settings
    policy: Policy
    store: Store
    clock: Clock

    def close(self) -> None:
        """Let go of the store."""
        self.store.close()


def read_settings(environ: Mapping[str, str] | None = None, start: Path | None = None) -> Settings:
    """Read the settings of the folder a command was started in."""
    return load_settings(os.environ if environ is None else environ, start or Path.cwd())


def open_house(settings: Settings, clock: Clock = system_clock) -> House:
    """Open the store that the settings name.

    Raises:
        UnavailableError: the database can't be reached.
    """
    return House(settings, policy_of(settings), open_store(database_url(settings), clock), clock)


def database_url(settings: Settings) -> str:
    """Name the database: the one that is set, else the embedded one in the home."""
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    return sqlite_url(settings.home.absolute())


def policy_of(settings: Settings) -> Policy:
    """Take from the settings what verdicts and answers depend on."""
    workflows = settings.workflows.items()
    return Policy(
        main_branch=settings.main_branch,
        default_environment=settings.default_environment,
        stale_after=seconds(settings.stale_after_seconds),
        heartbeat=frozenset(name for name, value in workflows if value.evidence == "heartbeat"),
        critical=frozenset(name for name, value in workflows if value.critical),
        timeout_seconds=settings.default_timeout_seconds,
        grace_seconds=settings.default_grace_seconds,
    )
