"""Names, addresses and certificates: what was checked is what is connected to."""

from __future__ import annotations

import datetime
import socket
import ssl
import threading
from collections.abc import Iterable, Iterator

import httpcore2
import pytest
import trustme

from engine.delivery.answers import Answer
from engine.delivery.channels import SendError
from engine.delivery.client import HttpClient, client_of
from engine.delivery.network import Resolve, look_up
from engine.delivery_settings import WebhookSettings
from tests.delivery.receivers import OK, Receiver, answering, receiving, then_cuts, then_hangs
from tests.stopwatch import at_most

SHORT = datetime.timedelta(seconds=0.3)
LONG = datetime.timedelta(seconds=60)


class Noting(httpcore2.SyncBackend):
    """The system's network; it notes what it is asked to connect to and for how long, and knows no way to some."""

    def __init__(self, *dead: str) -> None:
        self.connected: list[str] = []
        self.times: list[float] = []
        self._dead = dead

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        assert timeout is not None
        self.connected.append(host)
        self.times.append(timeout)
        if host in self._dead:
            raise httpcore2.ConnectTimeout("no way")
        return super().connect_tcp(host, port, timeout, local_address, socket_options)


def client(url: str, resolve: Resolve = look_up, network: Noting | None = None, **more: object) -> HttpClient:
    given = {"url": url, "allow": ["127.0.0.0/8"], "timeout": SHORT, **more}
    return client_of(WebhookSettings(type="webhook", **given), resolve=resolve, network=network)


def posted(url: str, *arguments, **more: object) -> Answer:
    with_close = client(url, *arguments, **more)
    try:
        return with_close.post({}, b"{}")
    finally:
        with_close.close()


def refused(url: str, *arguments, **more: object) -> SendError:
    with pytest.raises(SendError) as caught:
        posted(url, *arguments, **more)
    return caught.value


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving(answering(OK)) as running:
        yield running


class Rebinding:
    """A name server that gives another answer each time."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = list(answers)
        self.asked = 0

    def __call__(self, host: str, port: int) -> list[str]:
        self.asked += 1
        return self._answers.pop(0)


def test_a_name_that_moves_inside_is_refused_when_it_has(receiver: Receiver) -> None:
    """The first answer is public and the second is where a service without a password listens."""
    rebinding, network = Rebinding(["93.184.215.14"], ["127.0.0.1"]), Noting("93.184.215.14")
    moving = client(f"http://hooks.example:{receiver.port}/", rebinding, network, allow=[])
    with pytest.raises(SendError, match="no connection"):
        moving.post({}, b"{}")
    with pytest.raises(SendError, match=r"hooks.example is at 127.0.0.1, which is not a public address") as caught:
        moving.post({}, b"{}")
    moving.close()
    assert caught.value.permanent
    assert network.connected == ["93.184.215.14"]
    assert receiver.connections == 0


def test_the_address_that_was_checked_is_the_one_connected_to(receiver: Receiver, monkeypatch) -> None:
    """A second look-up would find another address; there is none."""
    rebinding, network = Rebinding(["127.0.0.1"], ["127.0.0.9"]), Noting()
    asked = []
    system = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *rest: asked.append(host) or system(host, *rest))
    assert posted(f"http://hooks.example:{receiver.port}/", rebinding, network).status == 200
    assert rebinding.asked == 1
    assert {*network.connected, *asked} == {"127.0.0.1"}


def test_a_connection_that_stands_is_not_looked_up_again(receiver: Receiver) -> None:
    rebinding = Rebinding(["127.0.0.1"], ["10.0.0.1"])
    kept = client(f"http://hooks.example:{receiver.port}/", rebinding)
    for _ in range(3):
        assert kept.post({}, b"{}").status == 200
    kept.close()
    assert (rebinding.asked, receiver.connections) == (1, 1)


@pytest.mark.parametrize(
    "answer",
    [["93.184.215.14", "10.0.0.1"], ["10.0.0.1", "93.184.215.14"], ["2606:4700::1", "::1"], ["127.0.0.1", "10.0.0.1"]],
)
def test_one_internal_address_among_others_is_enough(answer: list[str]) -> None:
    network = Noting()
    error = refused("http://hooks.example/", lambda host, port: answer, network)
    assert error.permanent
    assert not error.unknown
    assert network.connected == []


def test_the_next_address_is_tried_where_one_is_dead(receiver: Receiver) -> None:
    network = Noting("127.0.0.7", "127.0.0.8")
    addresses = ["127.0.0.7", "127.0.0.8", "127.0.0.1"]
    found = posted(
        f"http://hooks.example:{receiver.port}/",
        lambda host, port: addresses,
        network,
        connect_timeout=datetime.timedelta(seconds=6),
        timeout=datetime.timedelta(seconds=9),
    )
    assert found.status == 200
    assert network.connected == addresses
    shares = zip(network.times, (2, 3, 6), strict=True)
    assert all(most / 2 < time <= most for time, most in shares)


def test_the_system_is_asked_by_default(receiver: Receiver) -> None:
    assert posted(f"http://localhost:{receiver.port}/", allow=["localhost"]).status == 200
    assert "127.0.0.1" in look_up("localhost", 80)


def test_a_name_nobody_knows_is_worth_another_try() -> None:
    def unknown(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    error = refused("http://hooks.example/", unknown)
    assert "hooks.example could not be looked up: Name or service not known" in str(error)
    assert not error.permanent
    assert not error.unknown


def test_a_name_without_an_address_too() -> None:
    error = refused("http://hooks.example/", lambda host, port: [])
    assert "has no address" in str(error)
    assert not error.permanent


def test_a_resolver_that_hangs_is_given_up_in_time() -> None:
    over = threading.Event()

    def hangs(host: str, port: int) -> list[str]:
        over.wait()
        return ["127.0.0.1"]

    with at_most(4):
        error = refused("http://hooks.example/", hangs)
    assert "could not be looked up in time" in str(error)
    assert not error.unknown
    over.set()
    for thread in threading.enumerate():
        if thread.name == "lapse-lookup":
            thread.join(60)


# ---------------------------------------------------------------- TLS


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusted(authority: trustme.CA, monkeypatch) -> Iterator[None]:
    """The tests' authority among those of the system, the way operators add theirs."""
    with authority.cert_pem.tempfile() as path:
        monkeypatch.setenv("SSL_CERT_FILE", path)
        yield


def tls(authority: trustme.CA, *names: str, asked: list[str | None] | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    if asked is not None:
        context.sni_callback = lambda _, name, __: asked.append(name)
    return context


def here(host: str, port: int) -> list[str]:
    return ["127.0.0.1"]


@pytest.mark.usefixtures("trusted")
def test_the_certificate_is_asked_for_and_checked_by_name(authority: trustme.CA) -> None:
    asked: list[str | None] = []
    with receiving(answering(OK), tls(authority, "hooks.example", asked=asked)) as receiver:
        kept = client(f"https://Hooks.Example.:{receiver.port}/", here)
        for _ in range(3):
            assert kept.post({}, b"{}").status == 200
        kept.close()
        assert receiver.connections == 1
    assert asked == ["hooks.example"]


@pytest.mark.usefixtures("trusted")
def test_an_address_has_certificates_too(authority: trustme.CA) -> None:
    with receiving(answering(OK), tls(authority, "127.0.0.1")) as receiver:
        assert posted(f"https://127.0.0.1:{receiver.port}/").status == 200


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("name", ["other.example", "127.0.0.1", "*.hooks.example", "hooks.example.evil.example"])
def test_somebody_elses_certificate_is_none(authority: trustme.CA, name: str) -> None:
    with receiving(answering(OK), tls(authority, name)) as receiver:
        error = refused(f"https://hooks.example:{receiver.port}/", here)
    assert "CERTIFICATE_VERIFY_FAILED" in str(error)
    assert not error.unknown
    assert not error.permanent


def test_an_authority_that_nobody_trusts_is_none(authority: trustme.CA) -> None:
    with receiving(answering(OK), tls(authority, "hooks.example")) as receiver:
        error = refused(f"https://hooks.example:{receiver.port}/", here)
    assert "CERTIFICATE_VERIFY_FAILED" in str(error)
    assert not error.unknown


@pytest.mark.usefixtures("trusted")
def test_a_certificate_that_has_expired_is_none(authority: trustme.CA) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    past = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    authority.issue_cert("hooks.example", not_before=past, not_after=past).configure_cert(context)
    with receiving(answering(OK), context) as receiver:
        assert "expired" in str(refused(f"https://hooks.example:{receiver.port}/", here))


def hello(said: bytes):
    """Says something in place of a handshake, and waits."""

    def play(connection: socket.socket, over: threading.Event) -> None:
        connection.recv(65_536)
        connection.sendall(said)
        over.wait()

    return play


@pytest.mark.parametrize("said", [b"", b"\x16\x03\x03\x40\x00"], ids=["nothing", "the beginning of a record"])
def test_a_handshake_that_hangs_belongs_to_connecting(said: bytes) -> None:
    with receiving(hello(said)) as receiver, at_most(4):
        error = refused(f"https://hooks.example:{receiver.port}/", here, connect_timeout=SHORT, timeout=LONG)
    assert "no connection" in str(error)
    assert not error.unknown


def drips_a_handshake(connection: socket.socket, over: threading.Event) -> None:
    connection.recv(65_536)
    connection.sendall(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc")
    while not over.wait(0.01):
        connection.sendall(b"x")


def test_one_that_drips_too() -> None:
    with receiving(drips_a_handshake) as receiver, at_most(4):
        error = refused(f"https://hooks.example:{receiver.port}/", here)
    assert not error.unknown


@pytest.mark.parametrize("said", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x15\x03\x03\x00\x02\x02\x28", b"\0" * 100])
def test_what_is_no_tls_is_no_connection(said: bytes) -> None:
    with receiving(hello(said)) as receiver:
        error = refused(f"https://hooks.example:{receiver.port}/", here)
    assert "no connection" in str(error)
    assert not error.unknown


@pytest.mark.usefixtures("trusted")
def test_under_tls_time_is_as_short(authority: trustme.CA) -> None:
    with receiving(then_hangs(b"HTTP/1.1 2"), tls(authority, "hooks.example")) as receiver, at_most(4):
        error = refused(f"https://hooks.example:{receiver.port}/", here)
    assert error.unknown


@pytest.mark.usefixtures("trusted")
def test_under_tls_one_may_break_off_too(authority: trustme.CA) -> None:
    with receiving(then_cuts(b""), tls(authority, "hooks.example")) as receiver:
        assert refused(f"https://hooks.example:{receiver.port}/", here).unknown
