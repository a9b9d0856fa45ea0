"""Settings: where they come from, what they mean, and how a wrong one is explained."""

from __future__ import annotations

import datetime
import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from engine.config import Settings, load_settings
from engine.delivery_settings import Actions, DeliverySettings, GuardSettings, TemplateSettings, WebhookSettings
from engine.errors import ConfigError, LapseError
from engine.model import LIMITS, Limits

HOUR = datetime.timedelta(hours=1)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, and an environment without Lapse's variables."""
    for name in [name for name in os.environ if name.upper().startswith("LAPSE_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(text: str) -> None:
    Path("lapse.toml").write_text(text, encoding="utf-8")


def problem(**given: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        load_settings(**given)
    return str(caught.value)


@pytest.mark.parametrize("model", [Settings, Limits, Actions, DeliverySettings, GuardSettings, TemplateSettings])
def test_every_setting_has_a_description_and_a_default(model: type[BaseModel]) -> None:
    for name, field in model.model_fields.items():
        assert field.description, f"{model.__name__}.{name} lacks a description"
        assert field.description.endswith("."), f"{model.__name__}.{name}: a description is a sentence"
        assert not field.is_required(), f"{model.__name__}.{name} lacks a default"


def test_defaults() -> None:
    settings = load_settings()
    assert settings.store == "sqlite:///lapse.db"
    assert settings.rules == Path("rules")
    assert (settings.workspace, settings.zone) == ("default", "UTC")
    assert (settings.grace, settings.late, settings.max_event_age) == (0 * HOUR, 24 * HOUR, 72 * HOUR)
    assert settings.limits == LIMITS
    assert settings.actions.bindings == {}
    assert settings.actions.default is None


def test_the_file_is_read() -> None:
    write(
        """
        store = "sqlite:///shop.db"
        rules = "campaigns"
        zone = "Europe/Warsaw"
        grace = "90 seconds"
        late = "1h30m"
        max_event_age = "2 weeks"

        [limits]
        event_bytes = 65536
        future = "10 minutes"
        earliest = 2020-01-01T00:00:00Z

        [channels.hook]
        type = "webhook"
        url = "https://example.com/actions"

        [actions]
        default = "hook"
        send_push = "python"
        "send.email" = "log"
        """
    )
    settings = load_settings()
    assert (settings.store, settings.rules, settings.zone) == ("sqlite:///shop.db", Path("campaigns"), "Europe/Warsaw")
    assert (settings.grace, settings.late, settings.max_event_age) == (HOUR / 40, 1.5 * HOUR, 336 * HOUR)
    assert settings.limits.event_bytes == 65536
    assert settings.limits.future_micros == 600_000_000
    assert settings.limits.earliest_micros == 1_577_836_800_000_000
    assert settings.limits.depth == LIMITS.depth
    assert settings.channels == {"hook": WebhookSettings(type="webhook", url="https://example.com/actions")}
    assert settings.actions.bindings == {"send_push": "python", "send.email": "log"}
    assert settings.actions.default == "hook"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        ('quiet_hours = "21:00 to 09:00, saturday"', ["21:00 to 09:00, saturday"]),
        ('quiet_hours = ["sunday in Europe/Warsaw", "12:00 to 13:00"]', ["sunday in Europe/Warsaw", "12:00 to 13:00"]),
    ],
)
def test_quiet_hours_are_one_line_or_several(text: str, lines: list[str]) -> None:
    write(text)
    assert load_settings().quiet_hours == lines


def test_the_environment_wins_over_the_file_and_the_call_over_both(monkeypatch: pytest.MonkeyPatch) -> None:
    write('workspace = "file"\nzone = "Europe/Warsaw"\nlate = "1 hour"\n[limits]\ndepth = 8\nproperties = 9')
    monkeypatch.setenv("LAPSE_WORKSPACE", "environment")
    monkeypatch.setenv("LAPSE_ZONE", "Europe/Paris")
    monkeypatch.setenv("LAPSE_LIMITS__DEPTH", "4")
    settings = load_settings(workspace="call")
    assert (settings.workspace, settings.zone, settings.late) == ("call", "Europe/Paris", HOUR)
    assert (settings.limits.depth, settings.limits.properties) == (4, 9)


def test_actions_from_the_environment_join_those_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    write('[channels.hook]\ntype = "webhook"\nurl = "https://old.example"\n[actions]\nsend_email = "hook"')
    monkeypatch.setenv("LAPSE_CHANNELS__HOOK__URL", "https://new.example")
    monkeypatch.setenv("LAPSE_ACTIONS__SEND_PUSH", "python")
    settings = load_settings()
    assert settings.channels == {"hook": WebhookSettings(type="webhook", url="https://new.example")}
    assert settings.actions.bindings == {"send_email": "hook", "send_push": "python"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('stroe = "x"', "'stroe' is no setting; did you mean 'store'?"),
        (
            "colour = 1",
            "'colour' is no setting; settings here are actions, api, backup_log_bytes, caps, chain, channels",
        ),
        ("[limits]\ndpth = 3", "'limits.dpth' is no setting; did you mean 'depth'?"),
        ("[limits]\ndept = 3", "'limits.dept' is no setting; did you mean 'depth'?"),
        ("[actons.mail]", "'actons' is no setting; did you mean 'actions'?"),
        ('grace = "5 parsecs"', "'grace': '5 parsecs' is no duration; write a number and a unit"),
        ("grace = 5", "'grace': 5 is no duration; write a number and a unit"),
        ('late = "-1 hour"', "'late': '-1 hour' is no duration"),
        ('zone = "Europe/Warsow"', "'Europe/Warsow' is no time zone; did you mean 'Europe/Warsaw'?"),
        ('zone = "+02:00"', "'+02:00' is no time zone; write it like"),
        ('zone = "../etc/passwd"', "is no time zone"),
        ('quiet_hours = "21:00 to saterday"', "'21:00 to saterday' are no quiet hours: "),
        ('quiet_hours = ["sunday", "9 to 5"]', "'quiet_hours': '9 to 5' are no quiet hours: "),
        ("chain = 0", "'chain': input should be greater than or equal to 1"),
        ('store = "lapse.db"', "'store': write a URL, such as 'sqlite:///lapse.db'"),
        ('workspace = "a b"', "'workspace': a workspace's name is made of letters"),
        ("workspace = 7", "'workspace': input should be a valid string"),
        ("[limits]\ndepth = 0", "'limits.depth': input should be greater than or equal to 1"),
        ('[actions]\nmail = "mial"', "[actions] mail: there is no channel 'mial'; channels are log, python"),
        ('[actions]\ndefault = "mail"', "[actions] default: there is no channel 'mail'"),
        ('[channels.mail]\ntype = "log"\n[actions]\nsend = "mial"', "did you mean 'mail'?"),
        ('[actions.mail]\nchannel = "log"', "'actions.mail': input should be a valid string"),
        ('[channels.hook]\ntype = "webhook"', "'channels.hook.url': field required"),
        ('[channels.hook]\ntype = "webhook"\nurl = "mail.example.com"', "a url begins with 'https://'"),
        ('[channels.hook]\ntype = "webhook"\nurl = "ftp://mail.example.com"', "a url begins with 'https://'"),
        ('[channels.hook]\ntype = "webhook"\nurl = "https://[::1"', "is no url"),
        ('[channels.hook]\ntype = "webhok"', "'channels.hook': a channel is a table with a 'type': log, "),
        ('[channels.hook]\nurl = "https://a.example"', "'channels.hook': a channel is a table with a 'type': log, "),
        ("[channels]\nhook = 5", "'channels.hook': a channel is a table with a 'type': log, "),
        ('[channels.m]\ntype = "email"\npassword = "x"', "'channels.m.password': a secret does not stand here; say"),
        ('[channels.h]\ntype = "webhook"\nsecrets = ["x"]', "'channels.h.secrets.0': a secret does not stand here"),
        ('[channels.h]\ntype = "webhook"\nurl = {env = 1}', "'channels.h.url.env': input should be a valid string"),
        ('[channels.hook]\ntype = "log"\nconcurency = 2', "did you mean 'concurrency'?"),
        ('[channels.hook]\ntype = "log"\nrate = "fast"', "'fast' is no rate; write it like '10/second'"),
        ('[channels.m]\ntype = "email"\nhost = "h"\nfrom = "a@b.c"\nusername = "u"', "a login is a username and a"),
        ('[channels.m]\ntype = "email"\nhost = "h"\nform = "a@b.c"', "did you mean 'from'?"),
        ('[caps]\npromo = "3 a day"', "'caps.promo': '3 a day' is no cap; write it like '3 per person per 7 days'"),
        ('[caps]\npromo = "3 per person per 7 parsecs"', "'caps.promo': '7 parsecs' is no duration"),
        ("[guard]\npeople = 3", "'guard.people' is no setting"),
        (
            '[channels.hook]\ntype = "webhook"\nurl = "https://a.example"\ntimeout = "5 minutes"',
            "\n  [channels.hook] timeout: a send may take as long as the lease",
        ),
        ('[delivery]\npublic_url = "shop.example"', "a url begins with 'https://'"),
        ('[delivery]\npublic_url = "https://shop.example/?a"', "no address to begin links with"),
        ('[delivery]\npublic_url = "https://shop.example/ü"', "no address to begin links with"),
        ('[delivery]\npublic_url = "https://shop.example/\\r\\nBcc: x"', "no address to begin links with"),
        ('store = "x', "lapse.toml cannot be read"),
    ],
)
def test_wrong_files_are_explained(text: str, words: str) -> None:
    write(text)
    assert words in problem()


def test_a_file_in_another_encoding_is_explained() -> None:
    Path("lapse.toml").write_bytes('zone = "é"'.encode("latin-1"))
    assert "lapse.toml cannot be read" in problem()


def test_all_errors_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    write('late = "soon"\n[limits]\nfuture = "later"')
    monkeypatch.setenv("LAPSE_GRACE", "some")
    monkeypatch.setenv("LAPSE_ZOEN", "UTC")
    text = problem(stroe="x")
    for words in ("'late'", "'limits.future'", "LAPSE_GRACE: 'some'", "LAPSE_ZOEN", "'stroe'"):
        assert words in text


@pytest.mark.parametrize(
    ("name", "near"),
    [("LAPSE_ZONA", "LAPSE_ZONE"), ("LAPSE_GRACES", "LAPSE_GRACE"), ("LAPSE_LIMIT__DEPTH", "LAPSE_LIMITS")],
)
def test_misspelt_variables_are_found(monkeypatch: pytest.MonkeyPatch, name: str, near: str) -> None:
    monkeypatch.setenv(name, "1")
    assert f"{name} is no setting; did you mean '{near}'?" in problem()


def test_variables_that_only_begin_alike_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAPSE_CI_RUNNER", "1")
    assert load_settings() == Settings()


def test_a_table_in_the_environment_that_is_no_json_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAPSE_LIMITS", "{depth")
    assert "tables in the environment are JSON" in problem()


def test_secrets_are_not_shown() -> None:
    settings = load_settings(
        store="postgresql://lapse:s3cret@localhost/lapse",
        channels={"hook": {"type": "webhook", "url": "https://example.com/s3cret"}},
    )
    assert "s3cret" not in repr(settings)
    assert "s3cret" not in problem(store="s3cret")
    assert "s3cret" not in problem(channels={"hook": {"type": "webhook", "url": "s3cret"}})


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load_settings().zone = "UTC"  # type: ignore[misc]


def test_config_errors_are_lapse_errors() -> None:
    assert issubclass(ConfigError, LapseError)
