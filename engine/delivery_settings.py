"""Settings of delivery: channels, which action goes through which, and what keeps the pressure down.

In ``lapse.toml``::

    [channels.mail]
    type = "email"
    host = "smtp.example.com"
    from = "Shop <hello@shop.example>"
    username = "shop"
    password = { env = "SMTP_PASSWORD" }

    [channels.crm]
    type = "webhook"
    url = "https://crm.example.com/hooks"
    secrets = [{ file = "/run/secrets/crm" }]
    rate = "50/second"

    [actions]
    send_email = "mail"
    tell_sales = "crm"
    default = "log"

    [caps]
    marketing = "1 per person per 16 hours"

A secret stands in the environment or in a file of its own; ``lapse.toml`` only says where.
"""

from __future__ import annotations

import datetime
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from engine.durations import Duration, in_micros, parse_duration
from engine.errors import ConfigError

RATE: Final = r"[1-9]\d{0,8}/(second|minute|hour|day)"
"""What a rate looks like: of requests, or of sends."""

BUILT_IN: Final = ("log", "python")
"""Channels that are there without a table: the log, and the functions a program registers."""

_PLAIN_URL: Final = re.compile(r"[A-Za-z0-9._~:/\[\]@!$&'()*+,;=%-]+")
_CAP: Final = re.compile(r"\s*([1-9]\d{0,8})\s+per\s+person\s+per\s+(\S.*?)\s*")


class Secret(BaseModel):
    """Where a secret stands: ``{ env = "NAME" }`` or ``{ file = "/path" }``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    env: str | None = Field(None, description="The environment variable that has it.")
    file: Path | None = Field(None, description="The file that has it; white space at its end does not count.")

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.env is None) == (self.file is None):
            raise ValueError('a secret stands in one place: { env = "NAME" } or { file = "/path" }')
        return self

    def read(self) -> str:
        """The secret itself. Raises ConfigError where it is not."""
        if self.env is not None:
            found = os.environ.get(self.env, "")
            where = f"the environment variable {self.env}"
        else:
            assert self.file is not None
            where = f"the file {self.file}"
            try:
                found = self.file.read_text(encoding="utf-8").rstrip()
            except OSError as error:
                reason = error.strerror or error
                raise ConfigError(f"{where} cannot be read, and a channel needs the secret in it: {reason}") from None
            except UnicodeDecodeError:
                raise ConfigError(f"{where} is not text in UTF-8, and a channel needs the secret in it") from None
        if not found:
            raise ConfigError(f"{where} is empty or not set, and a channel needs the secret in it")
        return found


class ChannelSettings(BaseModel):
    """What all channels have in common."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    concurrency: int = Field(8, ge=1, le=256, description="Sends under way at once.")
    rate: str | None = Field(None, description="Sends at most, such as `10/second`; without it, as fast as they go.")
    delivery: Literal["at_least_once", "at_most_once"] = Field(
        "at_least_once",
        description="What happens when nobody knows whether a send arrived: `at_least_once` sends again under the same "
        "key, `at_most_once` parks the action.",
    )
    give_up_after: Duration = Field(
        datetime.timedelta(days=3), description="How long after its first attempt a failing action is tried again."
    )
    first_retry: Duration = Field(
        datetime.timedelta(seconds=5),
        description="The pause before the second attempt; each later one is twice as long, less a share by chance.",
    )
    longest_retry: Duration = Field(
        datetime.timedelta(hours=1), description="The longest pause, also where a receiver asks for a longer one."
    )

    @field_validator("rate")
    @classmethod
    def _rate_is_rate(cls, rate: str | None) -> str | None:
        if rate is not None and not re.fullmatch(RATE, rate):
            raise ValueError(f"'{rate}' is no rate; write it like '10/second'")
        return rate


class LogSettings(ChannelSettings):
    """A line in the log for each action."""

    type: Literal["log"]


class PythonSettings(ChannelSettings):
    """The functions that a program registers under the names of actions."""

    type: Literal["python"]


class RemoteSettings(ChannelSettings):
    """What channels over a network have in common."""

    connect_timeout: Duration = Field(
        datetime.timedelta(seconds=5), description="How long connecting to a receiver may take."
    )
    timeout: Duration = Field(
        datetime.timedelta(seconds=15), description="How long a send may take in all, answer included."
    )


class HttpSettings(RemoteSettings):
    """What channels over HTTP have in common."""

    url: str | Secret = Field(
        description="Where it posts to, or where that stands if the URL itself is a secret.", repr=False
    )
    allow: tuple[str, ...] = Field(
        (),
        description="Hosts, addresses and networks that are posted to although they are not public, such as "
        "`localhost` or `10.0.0.0/8`.",
    )
    answer_bytes: int = Field(64 * 1024, ge=0, description="Bytes of an answer's body that are read at most.")

    @field_validator("url")
    @classmethod
    def _url_is_web(cls, url: str | Secret) -> str | Secret:
        if isinstance(url, str):
            check_url(url)
        return url

    def address(self) -> str:
        """The URL. Raises ConfigError where it is a secret that is missing, or none."""
        if isinstance(self.url, str):
            return self.url
        found = self.url.read()
        try:
            check_url(found)
        except ValueError as error:
            raise ConfigError(f"{self.url.env or self.url.file}: {error}") from None
        return found


class WebhookSettings(HttpSettings):
    """One POST of JSON an action, signed the way of Standard Webhooks where there is a secret."""

    type: Literal["webhook"]
    secrets: tuple[Secret, ...] = Field(
        (), max_length=2, description="What it signs with; two while one takes the place of the other."
    )


class SlackSettings(HttpSettings):
    """An incoming webhook the way of Slack: ``{"text": ...}``."""

    type: Literal["slack"]


class EmailSettings(RemoteSettings):
    """Mail over SMTP."""

    type: Literal["email"]
    host: str = Field(description="The mail server.", min_length=1)
    port: int = Field(587, ge=1, le=65_535, description="Its port.")
    tls: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="`starttls` begins in the clear and never stays there, `tls` begins encrypted."
    )
    username: str | None = Field(None, description="The name to log in with; without it, no login.")
    password: Secret | None = Field(None, description="Where the password stands.")
    sender: str = Field(
        alias="from", description="The address mail comes from: `hello@shop.example` or `Shop <hello@shop.example>`."
    )
    reply_to: str | None = Field(None, description="The address answers go to, where that is another.")

    @model_validator(mode="after")
    def _login_is_whole(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise ValueError("a login is a username and a password; give both or neither")
        return self


AnyChannel = Annotated[
    LogSettings | PythonSettings | WebhookSettings | SlackSettings | EmailSettings, Field(discriminator="type")
]


class Actions(BaseModel):
    """The table ``[actions]``: the channel of each action by its name, and of all others."""

    model_config = ConfigDict(frozen=True, extra="allow")

    default: str | None = Field(
        None,
        description="The channel of actions that have no line of their own. Without it they go to the log as long as "
        "no action has a line; once one has, a rule with an action that has none is refused, and what is to leave all "
        "the same waits.",
    )
    __pydantic_extra__: dict[str, str] = Field(init=False)

    @property
    def bindings(self) -> Mapping[str, str]:
        """Channels by the name of the action."""
        return self.__pydantic_extra__

    def channel_of(self, action: str) -> str | None:
        """The name of the channel that an action is bound to, be it by the default; None where nothing binds it."""
        return self.bindings.get(action) or self.default

    @property
    def exhaustive(self) -> bool:
        """Whether actions without a line have no channel at all: once one has a line, and there is no default."""
        return bool(self.bindings) and self.default is None


class Cap(NamedTuple):
    """At most ``number`` actions a person within ``duration`` microseconds."""

    number: int
    duration: int


class GuardSettings(BaseModel):
    """The table ``[guard]``: when a rule that acts on unusually many people stops itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    people_per_hour: int = Field(
        1_000, ge=1, description="People a rule may act on in any hour, whatever it did before."
    )
    times_median: int = Field(
        10, ge=1, description="More are fine up to this many times the rule's own median hour of the last 7 days."
    )
    exempt: tuple[str, ...] = Field((), description="Actions that are never stopped, such as `send_receipt`.")
    rules: dict[str, int] = Field(
        default_factory=dict, description="`people_per_hour` of single rules, by the rule's id."
    )


class TemplateSettings(BaseModel):
    """The table ``[templates]``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: Path = Field(Path("templates"), description="The folder of templates.")
    file_bytes: int = Field(256 * 1024, ge=1, description="Bytes of one file of a template.")
    output_bytes: int = Field(256 * 1024, ge=1, description="Bytes of what one template makes.")
    loops: int = Field(10_000, ge=1, description="Rounds of loops in one template, those within loops multiplied.")
    milliseconds: int = Field(500, ge=1, description="How long one template may take.")


class DeliverySettings(BaseModel):
    """The table ``[delivery]``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    public_url: str | None = Field(
        None,
        description="Where people reach `lapse serve`, such as `https://events.shop.example`: mails then carry a link "
        "that ends the subscription with one click.",
    )
    lease: Duration = Field(
        datetime.timedelta(minutes=5),
        description="How long an action that was taken up may be on its way before another sender takes it up: the "
        "one that had it is gone. Longer than any channel's `timeout`.",
    )

    @field_validator("public_url")
    @classmethod
    def _public_url_is_web(cls, url: str | None) -> str | None:
        if url is not None:
            check_url(url)
            if not _PLAIN_URL.fullmatch(url):
                raise ValueError(f"'{url}' is no address to begin links with: plain ASCII, without '?' and '#'")
        return url


def check_url(url: str) -> None:
    """Raises ValueError for what is no URL of the web; it quotes nothing of it, for it may be a secret."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("this is no url: its host or its port cannot be read") from None
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError("a url begins with 'https://' or 'http://' and has a host")


def read_cap(text: str) -> Cap:
    """``3 per person per 7 days``, or ``per day``, as a cap. Raises ValueError for anything else."""
    found = _CAP.fullmatch(text)
    if found is None:
        raise ValueError(f"'{text}' is no cap; write it like '3 per person per 7 days'")
    length = found[2] if found[2][0].isdigit() else f"1 {found[2]}"
    return Cap(int(found[1]), in_micros(parse_duration(length)))


def known_channels(channels: Mapping[str, Any]) -> list[str]:
    """The names an action may be bound to."""
    return sorted({*channels, *BUILT_IN})
