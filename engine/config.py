"""Settings: from the call, else the environment, else ``lapse.toml`` in the working directory, else defaults.

In the environment a setting is ``LAPSE_`` and its name in capitals, one inside another joined by two
underscores: ``LAPSE_STORE``, ``LAPSE_LIMITS__DEPTH``. In ``lapse.toml``::

    store = "sqlite:///lapse.db"
    late = "6 hours"

    [limits]
    future = "10 minutes"

    [channels.mailer]
    type = "webhook"
    url = "https://mail.example.com/send"

    [actions]
    send_email = "mailer"

Durations are text with units: ``90 seconds``, ``72 hours``, ``1h30m``; ``0`` needs none.
"""

from __future__ import annotations

import datetime
import os
import re
import tomllib
import zoneinfo
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from engine.delivery_settings import (
    RATE,
    Actions,
    AnyChannel,
    Cap,
    DeliverySettings,
    EmailSettings,
    GuardSettings,
    LogSettings,
    PythonSettings,
    RemoteSettings,
    Secret,
    SlackSettings,
    TemplateSettings,
    WebhookSettings,
    known_channels,
    read_cap,
)
from engine.durations import Duration
from engine.errors import ConfigError, did_you_mean, nearly
from engine.language import read_quiet_hours
from engine.model import Limits
from engine.schemas.settings import TypeSettings

FILE: Final = "lapse.toml"
"""The settings file, looked for in the working directory."""

PREFIX: Final = "LAPSE_"
"""What the environment's names of settings begin with."""

WORKSPACE_NAME: Final = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$"
"""What a workspace's name looks like."""

RATE_NAMES: Final = frozenset({"native", "flokit", "flokit.batch", "flownally", "flameup", "segment"})
"""The limits of requests that may be set: of each dialect, and those that single routes have of their own."""

_NESTED: Final = "__"
_NEAR: Final = 0.75


def _checked_cap(text: str) -> str:
    read_cap(text)
    return text


class Workspace(BaseModel):
    """What is one workspace's own: a table ``[workspaces.NAME]``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rules: Path = Field(description="The folder of its rule files, or one such file.")


class Api(BaseModel):
    """The table ``[api]``: the HTTP service."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    root: Literal["native", "flokit", "flownally", "flameup", "segment"] = Field(
        "native", description="The dialect that answers at `/` too, not only under its own prefix."
    )
    host: str = Field(
        "127.0.0.1", description="The address to listen at. Until there is a key it is always the loopback's."
    )
    port: int = Field(8080, ge=0, le=65_535, description="The port to listen at; 0 takes one that is free.")
    body_bytes: int = Field(
        1_000_000,
        ge=1_000,
        description="Bytes of a request's body, inflated. A batch may have `limits.event_bytes` for each event it may "
        "hold instead.",
    )
    body_seconds: Duration = Field(
        datetime.timedelta(seconds=15), description="How long a client may take to send a request's body."
    )
    upload_rate: int = Field(
        1_000,
        ge=0,
        description="Bytes a second that an upload must come with at least, once `body_seconds` were spent on waiting.",
    )
    body_values: int = Field(
        250_000,
        ge=1_000,
        description="Values a request's body may hold: its commas and opening brackets outside texts are counted "
        "before it is parsed.",
    )
    body_memory: int = Field(
        256 * 1024 * 1024,
        ge=1024 * 1024,
        description="Bytes of memory that the bodies of all requests under way may take, at 4 to 40 times their bytes; "
        "beyond it a request is answered with 503, unless it is alone.",
    )
    page_keys: Literal["limited", "trusted"] = Field(
        "limited",
        description="Keys with the scope `event:create` alone, which may stand in web pages: `limited` keeps them from "
        "changing what servers have set, making two known people one, and giving consent; `trusted` is Segment's way.",
    )
    rates: dict[str, str] = Field(
        default_factory=dict,
        description="Requests a workspace may make, such as `100/minute` or `none`, by the name of a limit: "
        "`flokit.batch`, or `native`, `flokit`, ... for all that a dialect does not limit by itself.",
    )
    keyless_rate: str = Field(
        "1000/minute",
        description="Requests an address may make that carry their key in the body, where it is read before anybody is "
        "known.",
    )
    sent_at_tolerance: Duration = Field(
        datetime.timedelta(seconds=10),
        description="How far Segment's `sentAt` may be from a request's arrival before the sender's clock counts as "
        "wrong and the timestamps of its messages are put right.",
    )
    contacts: Literal["create", "refuse"] = Field(
        "create",
        description="FlowNally's events of a contact nobody knows: `create` makes the person, `refuse` answers 404.",
    )

    metric_rules: int = Field(
        500,
        ge=0,
        description="Rules that `/metrics` tells one by one, those of older workspaces first; the others are told "
        "together, as the rule `(others)`.",
    )
    import_kept: Duration = Field(
        datetime.timedelta(days=7), description="How long an upload that is not complete can be gone on with."
    )
    import_rejections: int = Field(
        100, ge=0, description="Lines of an upload whose refusal is told one by one; all of them are counted."
    )

    @field_validator("rates")
    @classmethod
    def _rates_are_rates(cls, rates: dict[str, str]) -> dict[str, str]:
        for name, rate in rates.items():
            if name not in RATE_NAMES:
                advice = did_you_mean(name, RATE_NAMES, f"limits are {', '.join(sorted(RATE_NAMES))}")
                raise ValueError(f"there is no limit '{name}'; {advice}")
            if rate != "none" and not re.fullmatch(RATE, rate):
                raise ValueError(f"'{rate}' of '{name}' is no rate; write it like '100/minute', or 'none'")
        return rates

    @field_validator("keyless_rate")
    @classmethod
    def _keyless_is_rate(cls, rate: str) -> str:
        if not re.fullmatch(RATE, rate):
            raise ValueError(f"'{rate}' is no rate; write it like '1000/minute'")
        return rate


Network = IPv4Network | IPv6Network


class Serve(BaseModel):
    """The table ``[serve]``: what stands before the HTTP service."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    trusted_proxies: list[Network] = Field(
        default_factory=list,
        description="Addresses, or blocks such as `10.0.0.0/8`, of proxies whose word on who calls is taken: the "
        "rightmost address of `forwarded_header` that is none of these is the caller's.",
    )
    forwarded_header: Literal["X-Forwarded-For", "Forwarded"] = Field(
        "X-Forwarded-For", description="The header in which trusted proxies say who calls; the other one is ignored."
    )
    metrics_host: str = Field("127.0.0.1", description="The address at which `metrics_port` is listened to.")
    metrics_port: int | None = Field(
        None, ge=1, le=65_535, description="A port of its own for `/metrics`, which needs no key there."
    )


class QuarantineSettings(BaseModel):
    """The table ``[quarantine]``: what is kept of items that a door refuses without saying so."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    items: int = Field(10_000, ge=0, description="Refused items a workspace keeps; beyond that the oldest go.")
    item_bytes: int = Field(
        64 * 1024, ge=2, description="Bytes of a refused item as JSON; larger ones are counted, not kept."
    )
    total_bytes: int = Field(
        32 * 1024 * 1024, ge=2, description="Bytes of all refused items of a workspace; beyond that the oldest go."
    )
    answer_bytes: int = Field(
        8 * 1024,
        ge=0,
        description="Bytes of the reasons that are kept of a call under an `Idempotency-Key` whose items were refused; "
        "of those beyond it only the code is.",
    )


class FaultSettings(BaseModel):
    """The table ``[faults]``: what becomes of a person for whom a rule fails."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    first_retry: Duration = Field(
        datetime.timedelta(minutes=1),
        ge=datetime.timedelta(seconds=1),
        description="How long a person is set aside for whom a rule fails; twice as long each time it fails again.",
    )
    longest_retry: Duration = Field(
        datetime.timedelta(hours=1), ge=datetime.timedelta(seconds=1), description="The longest such pause."
    )
    people: int = Field(
        100, ge=1, description="A rule that has failed for so many people under one version of it is paused."
    )


class Settings(BaseSettings):
    """All settings. Read them with :func:`load_settings`, whose errors are for people."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix=PREFIX,
        env_nested_delimiter=_NESTED,
        toml_file=FILE,
        validate_default=True,
    )

    store: str = Field(
        "sqlite:///lapse.db",
        pattern=r"^[a-z0-9+]+://",
        description="The database's URL, such as `sqlite:///lapse.db`.",
        repr=False,
    )
    store_timeout: Duration = Field(
        datetime.timedelta(seconds=30),
        description="How long a process waits for its turn to write to the store. Then what is to be written fails as "
        "`StoreUnavailable`.",
    )
    store_transaction: Duration = Field(
        datetime.timedelta(milliseconds=100),
        description="How long a transaction over many rows should take: it ends after as many as fit. Others write "
        "then.",
    )
    store_log_bytes: int = Field(
        64 * 1024 * 1024,
        ge=1_000_000,
        description="The size of the store's write-ahead log, in bytes, at which whoever writes brings it into the "
        "file.",
    )
    rules: Path = Field(Path("rules"), description="The folder of rule files, or one such file.")
    workspace: str = Field(
        "default",
        pattern=WORKSPACE_NAME,
        description="The workspace that events, people and rules belong to.",
    )
    zone: str = Field("UTC", description="The time zone of rules and people that have none, such as `Europe/Warsaw`.")
    grace: Duration = Field(
        datetime.timedelta(0), description="How long every decision is held back, so that stragglers still count."
    )
    late: Duration = Field(
        datetime.timedelta(hours=24),
        description="An action whose moment is longer past is recorded as `skipped_late`, not sent.",
    )
    max_event_age: Duration = Field(
        datetime.timedelta(hours=72), description="An event that is older on arrival is history: it starts no journey."
    )
    quiet_hours: list[str] = Field(
        default_factory=list,
        description="When no rule sends anything, unless its purpose is transactional: a line, or several, as after "
        "`Quiet hours:`, such as `21:00 to 09:00, sunday`.",
    )
    stop_after: Duration = Field(
        datetime.timedelta(seconds=2),
        description="How long `lapse run` and `lapse serve` may take to stop. What is on its way to a receiver then is "
        "abandoned, as when the process is killed: it is sent again with the same id, or parked where it is sent at "
        "most once.",
    )
    log_ids: bool = Field(
        False,
        description="Whether logs name people by their ids and addresses; otherwise by pseudonyms, always the same for "
        "the same person of a workspace.",
    )
    chain: int = Field(
        10, ge=1, description="Rules that may follow from one another's events; the chain's next is not started."
    )
    page_limit: int = Field(1_000, ge=1, description="Events on one page of the read face, whatever is asked for.")
    operation_page: int = Field(
        500,
        ge=1,
        description="The most rows that one transaction changes of an operation over many: a pause, an erasure.",
    )
    backup_log_bytes: int = Field(
        1_000_000_000,
        ge=1,
        description="How much the store's log may grow while `lapse backup` copies it; then the backup is given up.",
    )
    limits: Limits = Field(Limits(), description="How large and how far off an event may be: the table `[limits]`.")
    channels: dict[str, AnyChannel] = Field(
        default_factory=dict, description="Where actions can go: a table `[channels.NAME]` each."
    )
    actions: Actions = Field(Actions(), description="Which action goes where: the table `[actions]`.")
    templates: TemplateSettings = Field(
        TemplateSettings(), description="What messages are made from: the table `[templates]`."
    )
    delivery: DeliverySettings = Field(
        DeliverySettings(), description="What all channels share: the table `[delivery]`."
    )
    caps: dict[str, Annotated[str, AfterValidator(_checked_cap)]] = Field(
        default_factory=dict,
        description="Actions a person gets at most, over all rules with a tag or purpose of that name: `[caps]`, such "
        'as `marketing = "1 per person per 16 hours"`.',
    )
    guard: GuardSettings = Field(
        GuardSettings(), description="When a rule that acts on unusually many people stops itself: `[guard]`."
    )
    workspaces: dict[str, Workspace] = Field(
        default_factory=dict, description="What single workspaces have of their own: a table `[workspaces.NAME]` each."
    )
    types: TypeSettings = Field(TypeSettings(), description="Event types and their schemas: the table `[types]`.")
    api: Api = Field(Api(), description="The HTTP service: the table `[api]`.")
    serve: Serve = Field(Serve(), description="What stands before the HTTP service: the table `[serve]`.")
    faults: FaultSettings = Field(
        FaultSettings(), description="What becomes of a person for whom a rule fails: the table `[faults]`."
    )
    quarantine: QuarantineSettings = Field(
        QuarantineSettings(), description="What is kept of refused items: the table `[quarantine]`."
    )

    @field_validator("zone")
    @classmethod
    def _zone_exists(cls, zone: str) -> str:
        try:
            zoneinfo.ZoneInfo(zone)
        except (OSError, ValueError, zoneinfo.ZoneInfoNotFoundError):
            advice = did_you_mean(zone, zoneinfo.available_timezones(), "write it like 'Europe/Warsaw'")
            raise ValueError(f"'{zone}' is no time zone; {advice}") from None
        return zone

    @field_validator("quiet_hours", mode="before")
    @classmethod
    def _one_line_is_a_list(cls, lines: object) -> object:
        return [lines] if isinstance(lines, str) else lines

    @field_validator("quiet_hours")
    @classmethod
    def _quiet_hours_are_quiet_hours(cls, lines: list[str]) -> list[str]:
        for line in lines:
            read_quiet_hours(line)
        return lines

    @property
    def cap_of(self) -> dict[str, Cap]:
        """Caps by the tag or purpose they hold for."""
        return {name: read_cap(text) for name, text in self.caps.items()}

    @model_validator(mode="after")
    def _channels_are_there(self) -> Self:
        known = known_channels(self.channels)
        for action, channel in (*self.actions.bindings.items(), ("default", self.actions.default)):
            if channel is not None and channel not in known:
                advice = did_you_mean(channel, known, f"channels are {', '.join(known)}")
                raise ValueError(f"[actions] {action}: there is no channel '{channel}'; {advice}")
        return self

    @model_validator(mode="after")
    def _lease_is_long_enough(self) -> Self:
        for name, channel in self.channels.items():
            if isinstance(channel, RemoteSettings) and channel.timeout >= self.delivery.lease:
                raise ValueError(
                    f"[channels.{name}] timeout: a send may take as long as the lease of an action, and would be made "
                    "twice; set it shorter, or [delivery] lease longer"
                )
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The library's own sources in its own order, and ``lapse.toml`` after them."""
        file = TomlConfigSettingsSource(settings_cls)
        return init_settings, env_settings, dotenv_settings, file_secret_settings, file


def load_settings(**given: Any) -> Settings:
    """The settings in force; ``given`` ones win over the environment, and that over the file.

    Raises :class:`~engine.errors.ConfigError` that names every setting that cannot be used, and those that do
    not exist.
    """
    misspelt = _misspelt_variables()
    try:
        settings = Settings(**given)
    except ValidationError as error:
        reasons = dict.fromkeys(_explained(dict(one)) for one in error.errors())
        raise _config_error([*misspelt, *reasons]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ConfigError(f"{FILE} cannot be read: {error}") from None
    except SettingsError as error:
        raise ConfigError(f"{error}; tables in the environment are JSON, or one variable a setting") from None
    if misspelt:
        raise _config_error(misspelt)
    return settings


def _config_error(reasons: list[str]) -> ConfigError:
    return ConfigError("settings cannot be used:\n" + "\n".join(f"  {reason}" for reason in reasons))


def _explained(error: dict[str, Any]) -> str:
    where = tuple(str(step) for step in error["loc"])
    name = _origin(_written(where))
    if error["type"] == "extra_forbidden":
        known = _known(where[:-1])
        advice = did_you_mean(where[-1], known, f"settings here are {', '.join(sorted(known))}")
        return f"{name} is no setting; {advice}"
    if error["type"] == "string_pattern_mismatch":
        return f"{name}: {_FORMS[where[-1]]}"
    if where[:1] == ("channels",) and error["type"] in _CHANNEL_FORMS:
        return f"{name}: {_CHANNEL_FORMS[error['type']]}"
    if error["type"] == "model_type":
        return f"{name}: {_SECRET}"
    text = error["msg"].removeprefix("Value error, ")
    return f"{name}: {text[:1].lower()}{text[1:]}" if where else text


def _written(where: tuple[str, ...]) -> tuple[str, ...]:
    """The steps that stand in the file: not the type a channel is read as, nor the form its url is."""
    match where:
        case ("channels", channel, _, "url", _, *more):
            return ("channels", channel, "url", *more)
        case ("channels", channel, _, *more):
            return ("channels", channel, *more)
    return where


_FORMS: Final[Mapping[str, str]] = {
    "store": "write a URL, such as 'sqlite:///lapse.db'",
    "workspace": "a workspace's name is made of letters, digits, '.', '-' and '_', at most 100, and begins with "
    "a letter or digit",
}


def _origin(where: tuple[str, ...]) -> str:
    """A setting's name as it was written: its variable if that is set, else its dotted name."""
    variable = (PREFIX + _NESTED.join(where)).upper()
    return variable if any(name.upper() == variable for name in os.environ) else f"'{'.'.join(where)}'"


def _known(where: tuple[str, ...]) -> set[str]:
    """The names of settings in a table."""
    match where:
        case ():
            return set(Settings.model_fields)
        case ("channels", _, kind, *secret):
            return set(Secret.model_fields) if secret else _names(_CHANNELS[kind])
        case ("workspaces", *_):
            return set(Workspace.model_fields)
    return _names(_TABLES[where[0]])


def _names(model: type[BaseModel]) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}


_CHANNELS: Final[Mapping[str, type[BaseModel]]] = {
    "log": LogSettings,
    "python": PythonSettings,
    "webhook": WebhookSettings,
    "slack": SlackSettings,
    "email": EmailSettings,
}
_TYPES: Final = f"a channel is a table with a 'type': {', '.join(_CHANNELS)}"
_CHANNEL_FORMS: Final[Mapping[str, str]] = {
    "union_tag_invalid": _TYPES,
    "union_tag_not_found": _TYPES,
    "model_attributes_type": _TYPES,
}
_SECRET: Final = 'a secret does not stand here; say where it does: { env = "NAME" } or { file = "/path" }'
_TABLES: Final[Mapping[str, type[BaseModel]]] = {
    "limits": Limits,
    "api": Api,
    "types": TypeSettings,
    "quarantine": QuarantineSettings,
    "templates": TemplateSettings,
    "delivery": DeliverySettings,
    "guard": GuardSettings,
}


def _misspelt_variables() -> list[str]:
    """Variables that are no setting but look like one. Others that begin alike may be anybody's."""
    known = {name.upper() for name in Settings.model_fields}
    found = []
    for variable in sorted(os.environ):
        name = variable.upper().removeprefix(PREFIX).split(_NESTED)[0]
        if variable.upper().startswith(PREFIX) and name not in known:
            near = nearly(name, known, _NEAR)
            found += [] if near is None else [f"{variable} is no setting; did you mean '{PREFIX}{near}'?"]
    return found
