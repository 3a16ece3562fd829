"""Settings: `faultbook.toml`, overridden by `FAULTBOOK_*`; secrets from the environment or a file.

Built once, in `assembly`; nothing else reads the environment. Unknown keys are errors that name the
nearest known one, since a setting that is silently ignored is a setting that fails quietly.
"""

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, Self, get_args

from pydantic import (
    BaseModel,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from faultbook.base.errors import InvalidError
from faultbook.base.settings_policies import PolicySettings
from faultbook.base.settings_section import Section
from faultbook.base.settings_webhooks import WebhookSettings

CONFIG_NAME = "faultbook.toml"
_PREFIX = "FAULTBOOK_"
SLACK_SECRETS = ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET")
"""Read from these variables, or from the files that the same with `_FILE` name."""

TASK_ID, TASK_LEASE = "FAULTBOOK_TASK_ID", "FAULTBOOK_TASK_LEASE"
TASK_TEXT, TASK_ATTEMPT = "FAULTBOOK_TASK_TEXT", "FAULTBOOK_TASK_ATTEMPT"
TASK_REQUESTER, TASK_PROGRESS = "FAULTBOOK_TASK_REQUESTER", "FAULTBOOK_TASK_PROGRESS"
"""What a worker tells the command that does a task, and with it whatever `faultbook` that runs."""

APPROVAL_ID, APPROVAL_DIGEST = "FAULTBOOK_APPROVAL_ID", "FAULTBOOK_APPROVAL_DIGEST"
"""What the command that executes an approved action is told."""

# The first says where the file is, so it can not be in it; the others are no settings at all.
_CLIENT_VARIABLES = frozenset(
    {"FAULTBOOK_CONFIG", TASK_ID, TASK_LEASE, TASK_TEXT, TASK_ATTEMPT}
    | {TASK_REQUESTER, TASK_PROGRESS, APPROVAL_ID, APPROVAL_DIGEST}
)
EXECUTOR_SECRETS = "FAULTBOOK_SECRET_"
"""What variables begin with that hold what an action's parameters call `secret:NAME`; they are read
when it is executed, and never before."""


class WorkflowSettings(Section):
    """What a team says about one workflow."""

    evidence: Literal["required", "heartbeat"] = "required"
    """`heartbeat` lets a plain success count, and is always shown as "heartbeat only"."""
    critical: bool = False
    """Critical workflows are named first."""


class SlackSettings(Section):
    """How Slack is reached; tokens come from the environment."""

    mode: Literal["auto", "socket", "http"] = "auto"
    api_url: str = "https://slack.com/api/"


class HttpSettings(Section):
    """Where the server listens."""

    host: str = "127.0.0.1"
    port: int = Field(default=8030, ge=0, le=65535)
    public_url: str | None = None
    """How wrappers reach this server from elsewhere: what they kept for it is taken in here."""


class LedgerSettings(Section):
    """Where the failure ledger is kept in git."""

    remote: str | None = None
    """Any remote git can push to: a path, SSH, HTTPS with a credential helper."""
    branch: str = "main"
    folder: str = Field(default="lessons", pattern=r"^[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)*$")
    author_name: str = "Faultbook"
    author_email: str = "faultbook@localhost"
    channel: str | None = None
    """The Slack channel id for what has no thread of its own."""
    web_url: str | None = None
    """How people read a file: `https://host/team/repo/blob/main/{path}`."""
    fetch_seconds: int = Field(default=60, ge=1)


class AuditSettings(Section):
    """Where the audit log's head is told, so that a cut or a rewrite of it shows."""

    channel: str | None = None
    """The id of the Slack channel that hears it once a day; the ledger's git gets it as a tag."""


class RouteSettings(Section):
    """Who does the tasks that fit; the first route that fits takes a task."""

    name: str = Field(pattern=r"^[A-Za-z0-9._-]{1,60}$")
    match: list[str] | str = Field(default_factory=list)
    """Patterns with `*` and `?`, of which the text has to fit one; any text where left out."""
    channels: list[str] = Field(default_factory=list)
    """Ids of the channels it holds in; everywhere where left out."""
    agent: str | None = Field(default=None, min_length=1, max_length=200)
    command: list[str] = Field(default_factory=list)
    """A program with its arguments, run without a shell in the folder of `faultbook.toml`; in the
    arguments `{text}`, `{task}` and `{requester}` are filled in. It also gets the task as JSON on
    its stdin and in FAULTBOOK_TASK_ID, _TEXT, _ATTEMPT, _REQUESTER; the last line of the file that
    FAULTBOOK_TASK_PROGRESS names is shown as its progress."""
    workflow: str | None = Field(default=None, min_length=1, max_length=200)
    environment: str | None = Field(default=None, min_length=1, max_length=200)
    artifacts: list[str] = Field(default_factory=list)
    """Files that the command writes anew; `{task}` is filled in: `out/{task}.pdf`."""
    timeout_seconds: float = Field(default=3600, gt=0, le=604_800)
    limit: int | None = Field(default=None, ge=1)
    """How many of its tasks run at once. Left out: any number for an agent; for a command 4, or 1
    where its artifacts are the same files for every task."""
    priority: int = Field(default=0, ge=-1000, le=1000)
    attempts: int = Field(default=1, ge=1, le=100)
    backoff_seconds: float = Field(default=5, ge=0, le=3600)
    retry_on: tuple[Literal["transient", "persistent"], ...] = ("transient",)
    lapses: int = Field(default=3, ge=1, le=100)
    unclaimed_after_seconds: float = Field(default=300, ge=1)

    @field_validator("command")
    @classmethod
    def _names_a_program(cls, command: list[str]) -> list[str]:
        if command and (not command[0].strip() or "{" in command[0]):
            raise ValueError("its first part is a program's name or path, and never filled in")
        return command

    @model_validator(mode="after")
    def _has_one_doer(self) -> Self:
        if bool(self.agent) == bool(self.command):
            raise ValueError("set either `agent` or `command`")
        if self.artifacts and not self.command:
            raise ValueError("`artifacts` go with a `command`; agents bring their own")
        return self


class LimitSettings(Section):
    """Sizes that bound what is accepted."""

    artifact_bytes: int = Field(default=25_000_000, ge=1)
    body_bytes: int = Field(default=8_000_000, ge=1_000)
    junit_bytes: int = Field(default=50_000_000, ge=1)


class Settings(BaseSettings):
    """Everything that can be set, validated and frozen."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True
    )

    home: Path = Path(".faultbook")
    database_url: SecretStr | None = None
    url: str | None = None
    token: SecretStr | None = None
    main_branch: str = Field(default="main", min_length=1, max_length=200)
    default_environment: str = Field(default="production", min_length=1, max_length=200)
    stale_after_seconds: int = Field(default=86_400, ge=1)
    default_timeout_seconds: int = Field(default=86_400, ge=1)
    """When a run that named no timeout counts as abandoned."""
    default_grace_seconds: int = Field(default=60, ge=0)
    workflows: dict[str, WorkflowSettings] = Field(default_factory=dict)
    slack: SlackSettings = SlackSettings()
    http: HttpSettings = HttpSettings()
    limits: LimitSettings = LimitSettings()
    ledger: LedgerSettings = LedgerSettings()
    audit: AuditSettings = AuditSettings()
    routes: list[RouteSettings] = Field(default_factory=list)
    policies: list[PolicySettings] = Field(default_factory=list)
    webhooks: WebhookSettings = WebhookSettings()
    webhook_secret: SecretStr | None = Field(default=None, min_length=16)
    """What outcomes that are posted are signed with; from the environment only."""

    @field_validator("routes")
    @classmethod
    def _routes_differ(cls, routes: list[RouteSettings]) -> list[RouteSettings]:
        _check_names([route.name for route in routes], "routes")
        return routes

    @field_validator("policies")
    @classmethod
    def _policies_differ(cls, policies: list[PolicySettings]) -> list[PolicySettings]:
        _check_names([policy.name for policy in policies], "policies")
        return policies

    slack_bot_token: SecretStr | None = None
    slack_app_token: SecretStr | None = None
    slack_signing_secret: SecretStr | None = None
    config_path: Path | None = None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take values only from what `load_settings` hands in: it has read file and environment."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)


def load_settings(environ: Mapping[str, str], start: Path) -> Settings:
    """Read the nearest `faultbook.toml` upward from `start`, then the environment over it.

    Raises:
        InvalidError: a key is unknown or a value does not fit; the message names file and key.
    """
    config = _find_config(environ, start)
    values: dict[str, Any] = _read_toml(config) if config else {}
    origin = str(config) if config else CONFIG_NAME
    _check_reserved(values, origin)
    _merge(values, _from_environment(environ))
    values.update(_slack_secrets(environ))
    if environ.get("SLACK_API_URL"):
        values.setdefault("slack", {})["api_url"] = environ["SLACK_API_URL"]
    if config and "home" in values and "FAULTBOOK_HOME" not in environ:
        values["home"] = config.parent / str(values["home"])
    if "home" not in values:
        values["home"] = config.parent / ".faultbook" if config else _user_state_home(environ)
    try:
        return Settings(**values, config_path=config)
    except ValidationError as error:
        raise _explain(error, origin) from error


def _check_names(names: list[str], what: str) -> None:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"two {what} are called `{twice}`")


def _find_config(environ: Mapping[str, str], start: Path) -> Path | None:
    named = environ.get("FAULTBOOK_CONFIG")
    if named:
        path = Path(named)
        if not path.is_file():
            raise InvalidError(
                f"FAULTBOOK_CONFIG names {named}, and no file is there.",
                next_step="Correct the path, or unset the variable.",
                where="FAULTBOOK_CONFIG",
            )
        return path.resolve()
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / CONFIG_NAME).is_file():
            return folder / CONFIG_NAME
    return None


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise InvalidError(
            f"{path} can't be read: {error}",
            next_step="Correct the file; it is TOML in UTF-8.",
            where=str(path),
        ) from error


def _check_reserved(values: Mapping[str, object], origin: str) -> None:
    ours = {"token", "webhook_secret"}
    for key in ("slack_bot_token", "slack_app_token", "slack_signing_secret", *ours):
        if key in values:
            variable = f"{_PREFIX}{key.upper()}" if key in ours else key.upper()
            raise InvalidError(
                f"{origin}: `{key}` is a secret and does not belong in the file.",
                next_step=f"Set {variable} or {variable}_FILE in the environment.",
                where=key,
            )
    if "config_path" in values:
        raise _unknown("config_path", origin, Settings.model_fields)


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    ours = {
        name: value
        for name, value in environ.items()
        if name.startswith(_PREFIX)
        and name not in _CLIENT_VARIABLES
        and not name.startswith(EXECUTOR_SECRETS)
        and value != ""
    }
    for name in [name for name in ours if name.endswith("_FILE")]:
        ours[name.removesuffix("_FILE")] = _read_secret(name, ours.pop(name))
    known = {name for name in Settings.model_fields if not name.startswith("slack_")}
    known.discard("config_path")
    for name in ours:
        top = name.removeprefix(_PREFIX).lower().split("__")[0]
        if top not in known:
            raise _unknown(
                name, "the environment", [f"{_PREFIX}{key.upper()}" for key in sorted(known)]
            )
    return _parsed_environment(ours)


def _parsed_environment(ours: Mapping[str, str]) -> dict[str, Any]:
    class _Source(EnvSettingsSource):
        def _load_env_vars(self) -> Mapping[str, str | None]:
            return {name.lower(): value for name, value in ours.items()}

    try:
        values: dict[str, Any] = _Source(Settings)()
    except ValueError as error:
        raise InvalidError(
            f"The environment holds a {_PREFIX} variable that can't be read: {error}",
            next_step="Sections are written as JSON, or key by key: FAULTBOOK_HTTP__PORT=8030.",
            where="environment",
        ) from error
    return {key: value for key, value in values.items() if not key.startswith("slack_")}


def _slack_secrets(environ: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in SLACK_SECRETS:
        if environ.get(name):
            found[name.lower()] = environ[name]
        elif environ.get(f"{name}_FILE"):
            found[name.lower()] = _read_secret(f"{name}_FILE", environ[f"{name}_FILE"])
    return found


def _read_secret(variable: str, path: str) -> str:
    try:
        return Path(path).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidError(
            f"{variable} names {path}, which can't be read: {type(error).__name__}.",
            next_step="Correct the path or its permissions.",
            where=variable,
        ) from error


def _merge(under: dict[str, Any], over: Mapping[str, Any]) -> None:
    for key, value in over.items():
        if isinstance(value, dict) and isinstance(under.get(key), dict):
            _merge(under[key], value)
        else:
            under[key] = value


def _user_state_home(environ: Mapping[str, str]) -> Path:
    named = environ.get("XDG_STATE_HOME")
    # Path.home() asks the password database where cron left HOME unset.
    return (Path(named) if named else Path.home() / ".local" / "state") / "faultbook"


def _explain(error: ValidationError, origin: str) -> InvalidError:
    # A key that is written wrong is often why another is missing: it comes first.
    first = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
    path = [str(part) for part in first["loc"]]
    key = ".".join(path)
    if first["type"] == "extra_forbidden":
        return _unknown(key, origin, _siblings(path[:-1]), path[-1])
    said, next_step = f"does not fit: {first['msg'].removeprefix('Value error, ')}", "Correct it."
    if first["type"] == "missing":
        said, next_step = "is missing", f"Add `{path[-1]}`."
    return InvalidError(f"{origin}: `{key}` {said}.", next_step=next_step, where=key)


def _siblings(path: list[str]) -> Iterable[str]:
    """List the keys of the section that a path leads to, through lists and tables of sections."""
    model: type[BaseModel] = Settings
    for part in path:
        field = model.model_fields.get(part)
        model = _section_in(field.annotation) or model if field else model
    return model.model_fields


def _section_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_section_in(part) for part in get_args(annotation))
    return next((section for section in found if section is not None), None)


def _unknown(key: str, origin: str, known: Iterable[str], last: str | None = None) -> InvalidError:
    near = difflib.get_close_matches(last or key, list(known), n=1, cutoff=0)
    return InvalidError(
        f"{origin}: `{key}` is no setting.",
        code="unknown_setting",
        next_step=f"Nearest: `{near[0]}`." if near else "Remove it.",
        where=key,
    )
