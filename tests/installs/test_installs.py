"""What is installed works from end to end, and what is not is named before anything changes.

Each set of extras is installed into an environment of its own, as users get it, and its commands are run as processes
on a folder of their own. ``.ci/run`` does so for the base install and for all extras; ``pytest -m extras`` for every
extra alone and for every pair.
"""

from __future__ import annotations

import datetime
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from engine.extras import EXTRAS

ROOT = Path(__file__).parents[2]
MAIL_SERVER = ROOT / "tests" / "delivery" / "mail_server.py"
NAMES = tuple(extra.name for extra in EXTRAS)
PATIENCE = 240.0
"""Seconds for whatever a process is to do, on a machine that has much else to do."""

BASE: frozenset[str] = frozenset()
ALL = frozenset(NAMES)
SOME = {frozenset(chosen) for size in (1, 2) for chosen in combinations(NAMES, size)}
SETS = [
    *(pytest.param(chosen, marks=pytest.mark.installs, id=name) for name, chosen in (("base", BASE), ("all", ALL))),
    *(
        pytest.param(chosen, marks=pytest.mark.extras, id="+".join(sorted(chosen)))
        for chosen in sorted(SOME, key=sorted)
    ),
]

HELLO = 'Rule: hello\nTrigger: signed_up\nAction: send_email "hello" to person.email\n'
TELLS = "Rule: tells\nTrigger: signed_up\nAction: tell\n"
TESTS = """\
# Whoever signs up is greeted
Rule: hello
Given: person.email = a@example.com
At: 0h signed_up
Expect: send_email "hello" to a@example.com at 0h
"""
MAIL = '[channels.mail]\ntype = "email"\nhost = "127.0.0.1"\nport = {mail}\ntls = "none"\nfrom = "shop@example.com"\n'
HOOK = '[channels.crm]\ntype = "webhook"\nurl = "http://127.0.0.1:{hook}/"\nallow = ["127.0.0.1"]\n'
TRAVEL = """
from engine.testing import Travel
with Travel("rules") as travel:
    travel.engine.identify("ann", {"email": "ann@example.com"})
    travel.engine.ingest({"event": "signed_up", "user_id": "ann"})
    travel.move("1 day")
    print([action.template for action in travel.actions])
"""
INGEST = """
import engine
print(engine.ingest({"event": "signed_up", "user_id": "eve"}).rejected)
"""


class Installed:
    """An environment with a set of extras, and a folder in which its commands run."""

    def __init__(self, chosen: frozenset[str], python: Path, place: Path) -> None:
        self.chosen = chosen
        self._python = python
        self.place = place
        own = ("LAPSE_", "PYTHON", "VIRTUAL_ENV")
        self._environment = {name: value for name, value in os.environ.items() if not name.startswith(own)}

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run the command ``lapse`` and wait for its end."""
        return self._done(str(self._python.with_name("lapse")), *words)

    def python(self, program: str) -> str:
        """Run a program and return what it prints."""
        done = self._done(str(self._python), "-c", program)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def start(self, *words: str) -> tuple[subprocess.Popen[bytes], Path]:
        """Start the command ``lapse``; its log is written to the file that is returned."""
        log = self.place / "log"
        with log.open("wb") as file:
            command = [str(self._python.with_name("lapse")), *words]
            return subprocess.Popen(command, cwd=self.place, env=self._environment, stderr=file, stdout=file), log

    def _done(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.place,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def write(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            path = self.place / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)

    def state(self) -> tuple[dict[str, Any], int]:
        """The rules that are live with all they have done, and how many events there are."""
        rules = json.loads(self.run("rules", "--format", "json").stdout)["rules"]
        return rules, json.loads(self.run("doctor", "--format", "json").stdout)["counts"]["events"]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package's files alone: building leaves traces."""
    place = tmp_path_factory.mktemp("source")
    shutil.copytree(ROOT / "engine", place / "engine", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, place / name)
    return place


@pytest.fixture
def installed(request: pytest.FixtureRequest, source: Path, tmp_path: Path) -> Installed:
    chosen = ",".join(sorted(request.param))
    wanted = f"{source}[{chosen}]" if chosen else str(source)
    python = tmp_path / "environment" / "bin" / "python"
    options = ["-q", "-c", str(ROOT / "constraints.txt"), wanted]
    uv = shutil.which("uv")
    if uv is not None:
        _check(uv, "venv", "-q", "-p", sys.executable, str(python.parents[1]))
        _check(uv, "pip", "install", "-p", str(python), *options)
    else:
        _check(sys.executable, "-m", "venv", str(python.parents[1]))
        _check(str(python), "-m", "pip", "install", *options)
    place = tmp_path / "place"
    place.mkdir()
    return Installed(request.param, python, place)


def _check(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def mails(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """A mail server: its port, and the file of the mails it took."""
    file = tmp_path / "mails"
    file.touch()
    command = [sys.executable, str(MAIL_SERVER), json.dumps({"mails": str(file), "tls": "none"})]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield int(server.stdout.readline()), file
        server.kill()


@pytest.fixture
def posts() -> Iterator[tuple[int, list[bytes]]]:
    """An HTTP receiver: its port, and the bodies it took."""
    bodies: list[bytes] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port, bodies
        server.shutdown()
        thread.join()


def wait_for(what: Callable[[], object], process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while not what():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < until, log.read_text()
        time.sleep(0.05)


def events(*people: str) -> str:
    now = datetime.datetime.now(datetime.UTC).isoformat()
    lines: list[dict[str, Any]] = []
    for person in people:
        traits = {"email": f"{person}@example.com"}
        lines += [
            {"type": "identify", "user_id": person, "traits": traits, "timestamp": now},
            {"event": "signed_up", "user_id": person, "timestamp": now},
        ]
    return "".join(f"{json.dumps(line)}\n" for line in lines)


@pytest.mark.parametrize("installed", SETS, indirect=True)
@pytest.mark.timeout(1_800)
def test_what_is_installed_works_and_what_is_not_is_named(
    installed: Installed,
    mails: tuple[int, Path],
    posts: tuple[int, list[bytes]],
) -> None:
    chosen, only_mail = installed.chosen, MAIL.format(mail=mails[0]) + '[actions]\nsend_email = "mail"\n'
    installed.write(
        {
            "rules/hello.rules": HELLO,
            "rules/hello.test.rules": TESTS,
            "templates/hello.subject": "Hello",
            "templates/hello.txt": "Hello {{ person.email }}",
            "lapse.toml": only_mail,
        }
    )
    take_in(installed, "ann")
    read_and_try(installed)
    send(installed, "run", lambda: "ann@example.com" in mails[1].read_text())
    check_doctor(installed, chosen)

    installed.write(
        {
            "rules/tells.rules": TELLS,
            "lapse.toml": HOOK.format(hook=posts[0]) + only_mail + 'tell = "crm"\n',
        }
    )
    if "webhook" in chosen:
        take_in(installed, "bob")
        send(installed, "run", lambda: any(b'"bob"' in body for body in posts[1]))
    else:
        refuse(installed, "webhook", "run")
    if "serve" not in chosen:
        refuse(installed, "serve", "serve", "--port", "0")
    elif "webhook" not in chosen:
        refuse(installed, "webhook", "serve", "--port", "0")
        installed.write({"rules/tells.rules": "", "lapse.toml": only_mail})
        serve(installed)
    else:
        serve(installed)


def take_in(installed: Installed, person: str) -> None:
    """Make the rules live, and take a file of events in that came about afterwards."""
    live = installed.run("rules", "--rules", "rules")
    assert live.returncode == 0, live.stderr
    installed.write({"events.jsonl": events(person)})
    ingested = installed.run("ingest", "events.jsonl")
    assert ingested.returncode == 0, ingested.stderr


def read_and_try(installed: Installed) -> None:
    """The commands and programs that every set can run."""
    assert installed.run("check", "--strict").returncode == 0, installed.run("check").stdout
    assert "1 passed" in installed.run("test").stdout
    assert installed.run("replay", "events.jsonl", "--rules", "rules").returncode == 0
    assert installed.python(INGEST) == "[]"
    assert installed.python(TRAVEL) == "['hello']"
    previewed = installed.run("preview", "hello", "--person", "ann")
    assert "Hello ann@example.com" in previewed.stdout, previewed.stderr


def send(installed: Installed, verb: str, arrived: Callable[[], bool]) -> None:
    """Run a daemon until something has arrived, and stop it."""
    process, log = installed.start(verb)
    try:
        wait_for(arrived, process, log)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0, log.read_text()
    finally:
        process.kill()
        process.wait()


def check_doctor(installed: Installed, chosen: frozenset[str]) -> None:
    done = installed.run("doctor", "--format", "json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["trial"]["decides_an_event"], found["problems"]) == (0, True, [])
    assert {name for name, state in found["extras"].items() if state == "installed"} == chosen
    lacking = {name: state for name, state in found["extras"].items() if name not in chosen}
    assert all(f"pip install 'lapse[{name}]'" in state for name, state in lacking.items())


def refuse(installed: Installed, extra: str, *words: str) -> None:
    """The command names the extra it lacks, and nothing has changed."""
    before = installed.state()
    done = installed.run(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"pip install 'lapse[{extra}]'" in done.stderr
    assert installed.state() == before


def serve(installed: Installed) -> None:
    """An event over HTTP is taken in, and the service stops when it is told to."""
    key = installed.run("keys", "create", "--role", "agent").stdout.strip()
    process, log = installed.start("serve", "--port", "0")
    try:
        wait_for(lambda: "http://127.0.0.1:" in log.read_text(), process, log)
        base = log.read_text().partition("http://127.0.0.1:")[2].partition('"')[0]
        body = json.dumps({"event": "signed_up", "user_id": "cid"}).encode()
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"http://127.0.0.1:{base}/v1/events", body, headers)
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            assert answer.status == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0, log.read_text()
    finally:
        process.kill()
        process.wait()
    assert "cid" in installed.run("person", "cid").stdout
