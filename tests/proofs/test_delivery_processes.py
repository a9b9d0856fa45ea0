"""The command as its users run it: rules, templates and ``lapse.toml`` in a folder, and what then arrives."""

from __future__ import annotations

import email
import json
import signal
import socket
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import httpx2
import pytest
from standardwebhooks import Webhook

from engine import Engine
from engine.clock import WallClock, iso
from tests.cli.conftest import PATIENCE, Ran, Served
from tests.proofs.arrivals import Arrival, Arrivals, recording, until

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
FILES = {
    "rules/welcome.rules": """\
Rule: welcome
Trigger: signed_up
Action: send_email "welcome" to person.email with plan = trigger.plan
Action: tell_crm with plan = trigger.plan
Action: tell_team "newcomer"
""",
    "templates/welcome.subject": "Welcome, {{ person.name }}",
    "templates/welcome.txt": "Your plan: {{ with.plan }}\n",
    "templates/welcome.html": '<p>Your plan: {{ with.plan }}</p>\n<p><a href="{{ unsubscribe_url }}">No more</a></p>\n',
    "templates/newcomer.txt": "*{{ person.name }}* is here",
    "secret": SECRET,
}
EVENTS = [
    {"type": "identify", "user_id": "ann", "traits": {"email": "ann@example.com", "name": "Ann & Co"}},
    {"event": "signed_up", "user_id": "ann", "properties": {"plan": "<small>"}},
]
SETTINGS = """\
store = "sqlite:///lapse.db"

[channels.mail]
type = "email"
host = "127.0.0.1"
port = {mail}
tls = "none"
from = "Shop <hello@shop.example>"

[channels.crm]
type = "webhook"
url = "http://127.0.0.1:{hooks}/crm"
allow = ["127.0.0.1"]
secrets = [{{ file = "secret" }}]

[channels.team]
type = "slack"
url = {{ env = "TEAM_URL" }}
allow = ["127.0.0.1"]

[actions]
send_email = "mail"
tell_crm = "crm"
tell_team = "team"

[delivery]
public_url = "{public_url}"
"""
Lapse = Callable[..., Ran]
Started = Callable[..., "subprocess.Popen[bytes]"]
Serving = Callable[..., Served]


@dataclass
class Shop:
    """A folder somebody has set up, what listens beside it, and what arrived there."""

    hooks: Arrivals
    mail: Arrivals
    port: int
    """Where ``lapse serve`` is to be reached."""

    def arrived(self) -> bool:
        return len(self.hooks.all) == 2 and len(self.mail.all) == 1


@pytest.fixture
def shop(place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    with ExitStack() as stack:
        hooks = stack.enter_context(recording(place, "http", "hooks"))
        mail = stack.enter_context(recording(place, "smtp", "mail"))
        port = free_port()
        for name, text in FILES.items():
            (place / name).parent.mkdir(exist_ok=True)
            (place / name).write_text(text)
        url = f"http://127.0.0.1:{port}"
        (place / "lapse.toml").write_text(SETTINGS.format(mail=mail.port, hooks=hooks.port, public_url=url))
        monkeypatch.setenv("TEAM_URL", f"http://127.0.0.1:{hooks.port}/team")
        yield Shop(hooks, mail, port)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        port: int = one.getsockname()[1]
        return port


def parsed(mail: Arrival) -> EmailMessage:
    found = email.message_from_string(mail.body, policy=SMTP)
    assert isinstance(found, EmailMessage)
    return found


def content(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def test_what_run_sends_arrives(shop: Shop, place: Path, lapse: Lapse, started: Started) -> None:
    assert lapse("check").code == 0
    running = started("run")
    until(lambda: "1 rule live" in (place / "log").read_text())
    lines = (json.dumps({**one, "timestamp": iso(WallClock().now())}) + "\n" for one in EVENTS)
    (place / "events.jsonl").write_text("".join(lines))
    assert lapse("ingest", "events.jsonl").code == 0
    until(shop.arrived)
    said = {one.way: one for one in shop.hooks.all}
    crm = Webhook(SECRET).verify(said["/crm"].body, said["/crm"].headers)
    assert (crm["person"], crm["action"], crm["with"]) == ("ann", "tell_crm", {"plan": "<small>"})
    assert json.loads(said["/team"].body) == {"text": "*Ann & Co* is here"}
    (mail,) = map(parsed, shop.mail.all)
    assert (mail["To"], mail["From"]) == ("ann@example.com", "Shop <hello@shop.example>")
    assert mail["Subject"] == "Welcome, Ann & Co"
    assert content(mail, "plain").strip() == "Your plan: <small>"
    assert "<p>Your plan: &lt;small&gt;</p>" in content(mail, "html")
    running.send_signal(signal.SIGTERM)
    assert running.wait(PATIENCE) == 0
    found = lapse("deliveries", "--format", "json").json["deliveries"]
    assert Counter(one["state"] for one in found) == {"sent": 3}


def test_what_serve_sends_arrives_and_one_click_ends_it(
    shop: Shop, lapse: Lapse, started: Started, serving: Serving
) -> None:
    key = lapse("keys", "create", "--role", "owner", "--format", "json").json["key"]
    served = serving(started("serve", "--port", str(shop.port)), key)
    assert served.client.post("/v1/events/batch", json={"events": EVENTS}).status_code == 200
    until(shop.arrived)
    (mail,) = map(parsed, shop.mail.all)
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = mail["List-Unsubscribe"].strip("<>")
    assert f'<a href="{link}">' in content(mail, "html")
    assert httpx2.post(link, data={"List-Unsubscribe": "One-Click"}, timeout=PATIENCE).status_code == 200
    assert served.client.post("/v1/events", json=EVENTS[1]).status_code == 200

    def deliveries() -> Counter[tuple[str, str, str | None]]:
        found = served.client.get("/v1/deliveries", params={"person": "ann"}).json()["deliveries"]
        return Counter((one["action"], one["state"], one["reason"]) for one in found)

    until(lambda: deliveries().total() == 6 and not {state for _, state, _ in deliveries()} & {"pending", "sending"})
    assert deliveries() == {
        ("send_email", "sent", None): 1,
        ("send_email", "suppressed", "unsubscribed"): 1,
        ("tell_crm", "sent", None): 2,
        ("tell_team", "sent", None): 2,
    }
    assert (len(shop.hooks.all), len(shop.mail.all)) == (4, 1)
    assert served.stop() == 0


CONCURRENCY = 2
PEOPLE = 12
HANGING = """store = "sqlite:///lapse.db"
stop_after = "60 seconds"

[channels.crm]
type = "webhook"
url = "http://127.0.0.1:{hooks}/crm"
allow = ["127.0.0.1"]
concurrency = {concurrency}
timeout = "{timeout} seconds"
first_retry = "1 second"
delivery = "{delivery}"

[actions]
tell_crm = "crm"
"""


@pytest.mark.parametrize(("delivery", "given_up"), [("at_least_once", "failed"), ("at_most_once", "parked")])
def test_a_signal_ends_it_while_a_receiver_hangs(place: Path, started: Started, delivery: str, given_up: str) -> None:
    """It ends while the receiver still answers nobody, and has begun nothing more meanwhile."""
    with recording(place, "http", "hooks") as hooks:

        def set_up(timeout: int) -> None:
            given = {"hooks": hooks.port, "concurrency": CONCURRENCY, "timeout": timeout, "delivery": delivery}
            (place / "lapse.toml").write_text(HANGING.format(**given))

        set_up(timeout=4)
        (place / "rules").mkdir()
        (place / "rules" / "r.rules").write_text("Rule: r\nTrigger: go\nAction: tell_crm\n")
        with Engine.open(rules=place / "rules") as engine:
            engine.ingest([{"event": "go", "user_id": f"u{number}"} for number in range(PEOPLE)])
        with hooks.answering_nobody():
            running = started("run")
            until(lambda: len(hooks.all) == CONCURRENCY)
            running.send_signal(signal.SIGTERM)
            assert running.wait(PATIENCE) == 0
        left = attempts()
        assert left.pop((given_up, 1)) == CONCURRENCY
        assert left.keys() <= {("pending", 0), ("failed", 0)}, "what was not begun was not given back"
        set_up(timeout=60)
        started("run", log="log2")
        until(lambda: {state for state, _ in attempts()} <= {"sent", "parked"})
        parked = CONCURRENCY if given_up == "parked" else 0
        assert Counter(state for state, _ in attempts().elements()) == +Counter(sent=PEOPLE - parked, parked=parked)
        arrived = Counter(one.id for one in hooks.all)
        assert arrived.total() - len(arrived) == CONCURRENCY - parked
        assert len(arrived) == PEOPLE


def attempts() -> Counter[tuple[str, int]]:
    """How many actions are in which state after how many attempts."""
    with closing(sqlite3.connect("file:lapse.db?mode=ro", uri=True)) as store:
        return Counter(store.execute("SELECT status, attempts FROM outbox").fetchall())
