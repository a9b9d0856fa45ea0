"""Mail through a real SMTP server in a process of its own."""

from __future__ import annotations

import email
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from engine.delivery.addresses import LOCAL, TOTAL, address
from engine.delivery.channels import Closing, Message, Outgoing, Sealed, Sealing, SendError
from engine.delivery.email import IDLE_SECONDS, EmailChannel
from engine.delivery.smtp import ANSWER_BYTES
from engine.delivery_settings import EmailSettings
from engine.errors import ConfigError
from tests.delivery.hostile import ADDRESSES, TEXTS
from tests.stopwatch import at_most

PEM = Path(__file__).with_name("localhost.pem")
LINK = "https://shop.example/unsubscribe/" + "a" * 120
ACTION = Outgoing(
    key="act_1", rule="cart", person="u1", step="3", action="send_email", template="reminder",
    moment=1_767_225_600_000_000, attempt=1, variables={"person": {"email": "ann@example.com"}, "to": None},
    unsubscribe_url=LINK, message=Message("Still there?", "Your cart waits.\n", "<p>Your cart waits.</p>\n"),
)  # fmt: skip


@dataclass
class Server:
    """A mail server that runs, and what it took."""

    port: int
    file: Path

    @property
    def mails(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.file.read_text().splitlines()] if self.file.exists() else []


Start = Callable[..., Server]
Open = Callable[..., EmailChannel]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """``start(faults=[...], tls=..., login=...)``: see mail_server.py."""
    running: list[subprocess.Popen[str]] = []

    def run(**told: Any) -> Server:
        file = tmp_path / f"mails{len(running)}"
        words = [sys.executable, str(PEM.with_name("mail_server.py")), json.dumps({"mails": str(file), **told})]
        running.append(subprocess.Popen(words, stdout=subprocess.PIPE, text=True))
        assert running[-1].stdout is not None
        return Server(int(running[-1].stdout.readline()), file)

    yield run
    for one in running:
        one.terminate()
        one.communicate()


@pytest.fixture
def open_channel() -> Iterator[Open]:
    """``open_channel(server, **settings)``: a channel to it that is closed at the end."""
    opened: list[EmailChannel] = []

    def make(server: Server, **more: Any) -> EmailChannel:
        opened.append(EmailChannel(settings(port=server.port, **more)))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


def settings(**more: Any) -> EmailSettings:
    given = {"type": "email", "host": "localhost", "tls": "none", "from": "Shop <hello@shop.example>", **more}
    return EmailSettings.model_validate(given)


def seal(action: Outgoing = ACTION, **more: Any) -> Outgoing:
    """The action as it is when it is sent."""
    return replace(action, sealed=EmailChannel(settings(**more)).seal(action))


def refused(channel: EmailChannel, action: Outgoing | None = None) -> SendError:
    with pytest.raises(SendError) as caught:
        channel.send(action or seal())
    return caught.value


def unsealable(**more: Any) -> str:
    with pytest.raises(SendError) as caught:
        seal(replace(ACTION, **more))
    assert caught.value.permanent
    return str(caught.value)


def read(action: Outgoing) -> EmailMessage:
    """A mail as its reader's program reads it."""
    assert action.sealed is not None
    found = email.message_from_bytes(action.sealed.body, policy=SMTP)
    assert isinstance(found, EmailMessage)
    return found


def content(part: EmailMessage) -> str:
    found = part.get_content()
    assert isinstance(found, str)
    return found.replace("\r\n", "\n")


def written(**parts: Any) -> EmailMessage:
    return read(seal(replace(ACTION, message=Message(**parts))))


# ------------------------------------------------------------------------------------------------ the mail


def test_a_mail_as_it_is_made() -> None:
    mail = read(seal(reply_to="Help <help@shop.example>"))
    assert {name: str(value) for name, value in mail.items()} == {
        "From": "Shop <hello@shop.example>",
        "Reply-To": "Help <help@shop.example>",
        "To": "ann@example.com",
        "Subject": "Still there?",
        "Date": "Thu, 01 Jan 2026 00:00:00 +0000",
        "Message-ID": "<2c5375b45e358e0900bd8b1640a651e3@shop.example>",
        "Auto-Submitted": "auto-generated",
        "Lapse-Key": "act_1",
        "Lapse-Rule": "cart",
        "List-Unsubscribe": f"<{LINK}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "MIME-Version": "1.0",
        "Content-Type": 'multipart/alternative; boundary="=_2c5375b45e358e0900bd8b1640a651e3"',
    }
    text, html = mail.iter_parts()
    assert (text.get_content_type(), content(text)) == ("text/plain", "Your cart waits.\n")
    assert (html.get_content_type(), content(html)) == ("text/html", "<p>Your cart waits.</p>\n")


def test_a_part_alone_is_the_whole_mail() -> None:
    for parts, kind in ((Message("s", text="t\n", html=" \n"), "text/plain"), (Message("s", html="t\n"), "text/html")):
        mail = read(seal(replace(ACTION, message=parts)))
        assert (mail.get_content_type(), content(mail)) == (kind, "t\n")


def test_it_is_the_same_mail_whenever_it_is_made() -> None:
    assert seal().sealed == seal(replace(ACTION, attempt=7)).sealed
    assert read(seal())["Message-ID"] != read(seal(replace(ACTION, key="act_2")))["Message-ID"]


def test_the_link_stays_whole_on_one_line() -> None:
    sealed = seal().sealed
    assert sealed is not None
    assert f"\r\nList-Unsubscribe: <{LINK}>\r\n".encode() in sealed.body


def test_no_link_where_there_is_none_or_none_is_due() -> None:
    for action in (replace(ACTION, unsubscribe_url=None), replace(ACTION, purpose="transactional")):
        mail = read(seal(action))
        assert "List-Unsubscribe" not in mail
        assert "List-Unsubscribe-Post" not in mail
    assert "List-Unsubscribe" in read(seal(replace(ACTION, purpose="newsletter")))


def test_a_link_that_is_more_than_one_is_not_sent() -> None:
    for url in (
        "https://shop.example/\r\nBcc: eve@evil.example",
        "https://shop.example/ü",
        "https://shop.example/\n x",
    ):
        assert "List-Unsubscribe" in unsealable(unsubscribe_url=url)


@pytest.mark.parametrize(
    "text",
    [
        "plain\n", "Zażółć gęślą jaźń\n", "漢字" * 500 + "\n", "x" * 5_000 + "\n", ".\n..\n.x\n\n.\n", "From me\n",
        "a = b =3D\n", "🛒👩‍👩‍👧\n", "tab\tand \x1b escape\n", "--=_2c5375b45e358e0900bd8b1640a651e3--\n", " \n x \n",
    ],
)  # fmt: skip
def test_parts_say_what_the_template_made(text: str) -> None:
    action = seal(replace(ACTION, message=Message("s", text, f"<p>{text}</p>\n")))
    plain, html = read(action).iter_parts()
    assert content(plain) == text
    assert content(html) == f"<p>{text}</p>\n"
    assert action.sealed is not None
    assert action.sealed.body.isascii()
    assert max(map(len, action.sealed.body.split(b"\r\n"))) <= 998
    assert b"\n" not in action.sealed.body.replace(b"\r\n", b"")


@pytest.mark.parametrize(
    "text",
    [
        "Still there?",
        "Zażółć gęślą jaźń",
        "漢" * 2_000,
        "x" * 5_000,
        "🛒👩‍👩‍👧 you",
        "",
        "=?utf-8?q?=0ABcc=3A_x?=",
        "a =?b",
    ],
)
def test_subjects_are_read_as_they_were_written(text: str) -> None:
    mail = written(subject=text, text="t")
    assert str(mail["Subject"]).replace("\r\n", "") == text
    assert "Bcc" not in mail


def test_a_sender_s_name_may_have_any_letters() -> None:
    for name in ("Sklep Żółty", "Shop, Ltd. (UK)", "Ann \\ Co", "ş" * 20):
        assert read(seal(**{"from": f"{name} <hello@shop.example>"}))["From"].addresses[0].display_name == name
    assert str(read(seal(**{"from": "hello@shop.example"}))["From"]) == "hello@shop.example"


@pytest.mark.parametrize(
    "text", ["", "shop", "a@b.c, d@e.f", "Shop <a@b.c> x", "a\nb <a@b.c>", "<<a@b.c>>", '"x" <a@b.c>']
)
def test_a_sender_that_is_none_is_a_mistake_of_the_settings(text: str) -> None:
    for setting in ("from", "reply_to"):
        with pytest.raises(ConfigError, match=f"'{setting}' of a channel for mail"):
            EmailChannel(settings(**{setting: text}))


def test_a_mail_needs_a_template_that_makes_one() -> None:
    assert 'send_email "NAME"' in unsealable(template=None, message=None)
    for empty in (None, Message("s"), Message("s", " \n", "")):
        assert "templates/reminder.html" in unsealable(message=empty)


# ------------------------------------------------------------------------------------------------ to whom


def test_the_address_is_the_rule_s_else_the_person_s() -> None:
    def recipient(to: Any, person: dict[str, Any]) -> str | None:
        sealed = seal(replace(ACTION, variables={"person": person, "to": to})).sealed
        assert sealed is not None
        return sealed.recipient

    assert recipient(None, {"email": "ann@example.com"}) == "ann@example.com"
    assert recipient("boss@example.com", {"email": "ann@example.com"}) == "boss@example.com"
    assert "no attribute 'email'" in unsealable(variables={"person": {}, "to": None})
    assert "'to' names is a list" in unsealable(variables={"person": {"email": "a@b.cd"}, "to": ["a@b.cd"]})
    assert "attribute 'email' is a number" in unsealable(variables={"person": {"email": 7}, "to": None})


@pytest.mark.parametrize(
    "good",
    [
        "ann@example.com", "a@b.cd", "ann.smith+cart@mail.example.co.uk", "o'neil@example.com", "x_y-z@ex-ample.com",
        "1@2.com", "ANN@EXAMPLE.COM", "a#b$c&d*e/f=g?h^i{j}k~l@example.com", "ann@xn--bcher-kva.example",
        "a" * LOCAL + "@example.com", "a@" + "b" * 63 + "." + "c" * 63 + "." + "d" * 63 + "." + "e" * 56 + ".com",
    ],
)  # fmt: skip
def test_addresses(good: str) -> None:
    assert address(good) == good


def test_an_address_is_only_so_long() -> None:
    longest = "a@" + "b" * 63 + "." + "c" * 63 + "." + "d" * 63 + "." + "e" * 56 + ".com"
    assert len(longest) == TOTAL
    for long in (longest.replace("a@", "aa@"), "a" * (LOCAL + 1) + "@example.com"):
        with pytest.raises(ValueError, match="too long"):
            address(long)


def test_no_address_that_could_mean_anybody_else_is_written_to() -> None:
    assert len(ADDRESSES) >= 60
    for text in ADDRESSES:
        for variables in ({"person": {"email": text}, "to": None}, {"person": {}, "to": text}):
            unsealable(variables=variables)


@pytest.mark.parametrize("value", [0, 1.5, True, [], ["ann@example.com"], {}, {"email": "ann@example.com"}])
def test_only_text_is_an_address(value: Any) -> None:
    with pytest.raises(ValueError, match=r"is .+ and no address"):
        address(value)


# ------------------------------------------------------------------------------------------------ injection


@pytest.mark.parametrize("text", TEXTS)
def test_no_value_brings_a_header_or_a_part_along(text: str) -> None:
    expected = [name for name, _ in read(seal()).items()]
    parts = Message(text, f"x{text}", f"<p>{text}</p>")
    for action in (replace(ACTION, message=parts), replace(ACTION, rule=text)):
        mail = read(seal(action))
        assert [name for name, _ in mail.items()] == expected
        assert len(list(mail.walk())) == 3
        assert mail["To"] == "ann@example.com"
        assert not mail.defects
        assert not any(character in str(mail["Subject"]) for character in "\r\n\x00\x85\u2028\u2029\x1b")


# ------------------------------------------------------------------------------------------------ sending


def test_what_arrives_is_what_was_made(start: Start, open_channel: Open) -> None:
    server = start()
    channel = open_channel(server)
    text = ".\r\n..x\r\n" + "Zażółć " * 2_000
    actions = [
        seal(),
        seal(replace(ACTION, message=Message("s", ".\n..\n.x\n"))),
        seal(replace(ACTION, message=Message(text, text))),
    ]
    for action in actions:
        channel.send(action)
    assert [mail["body"].encode() for mail in server.mails] == [one.sealed.body for one in actions if one.sealed]
    assert [(mail["from"], mail["to"]) for mail in server.mails] == [("hello@shop.example", ["ann@example.com"])] * 3
    assert {mail["connection"] for mail in server.mails} == {1}


def test_a_body_of_dots_arrives_with_all_of_them(start: Start, open_channel: Open) -> None:
    server = start()
    body = b".\r\n..\r\nSubject: x\r\n\r\n.\r\n\r\n...\r\n.a\r\n"
    open_channel(server).send(replace(ACTION, sealed=Sealed(body, "ann@example.com")))
    assert server.mails[0]["body"].encode() == body


def test_it_is_the_same_mail_at_every_attempt(start: Start, open_channel: Open) -> None:
    server = start(faults=[{"at": "end", "do": "drop", "times": 2}])
    channel = open_channel(server)
    for attempt in (1, 2):
        error = refused(channel, replace(seal(), attempt=attempt))
        assert (error.unknown, error.permanent) == (True, False)
    channel.send(replace(seal(), attempt=3))
    assert len(server.mails) == 3
    assert len({mail["body"] for mail in server.mails}) == 1


def test_no_piece_of_a_mail_waits_for_the_one_before_to_be_acknowledged(start: Start, open_channel: Open) -> None:
    channel = open_channel(start())
    channel.send(seal())
    (used,) = channel._idle
    assert used.sock is not None
    assert used.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_threads_share_connections_and_nothing_else(start: Start, open_channel: Open) -> None:
    server = start()
    channel = open_channel(server)
    actions = [
        seal(replace(ACTION, key=f"act_{number}", variables={"person": {"email": f"u{number}@example.com"}}))
        for number in range(200)
    ]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(channel.send, actions))
    mails = server.mails
    assert sorted(mail["to"] for mail in mails) == sorted([f"u{number}@example.com"] for number in range(200))
    assert {mail["body"].encode() for mail in mails} == {one.sealed.body for one in actions if one.sealed}
    assert len({mail["connection"] for mail in mails}) <= 8


def test_nothing_is_sent_that_was_never_made(start: Start, open_channel: Open) -> None:
    assert refused(open_channel(start()), ACTION).permanent


def test_a_channel_that_is_closed_holds_nothing_and_goes_on_holding_nothing(start: Start, open_channel: Open) -> None:
    server = start()
    channel = open_channel(server)
    assert isinstance(channel, Sealing)
    assert isinstance(channel, Closing)
    for _ in range(2):
        channel.send(seal())
    channel.close()
    for _ in range(2):
        channel.send(seal())
    assert [mail["connection"] for mail in server.mails] == [1, 1, 2, 3]


def test_hostile_texts_arrive_as_one_mail_each(start: Start, open_channel: Open) -> None:
    server = start()
    channel = open_channel(server)
    actions = [seal(replace(ACTION, message=Message(text, f"x{text}", f"<p>{text}</p>"))) for text in TEXTS]
    for action in actions:
        channel.send(action)
    assert [(mail["to"], mail["body"].encode()) for mail in server.mails] == [
        (["ann@example.com"], one.sealed.body) for one in actions if one.sealed
    ]


# ------------------------------------------------------------------------------------------------ privacy and logins


@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_private_and_logged_in(start: Start, open_channel: Open, monkeypatch: pytest.MonkeyPatch, tls: str) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(PEM))
    monkeypatch.setenv("MAIL_PASSWORD", "s3cret")
    server = start(tls=tls, pem=str(PEM), login=["shop", "s3cret"])
    channel = open_channel(server, tls=tls, username="shop", password={"env": "MAIL_PASSWORD"})
    channel.send(seal())
    channel.send(seal())
    assert [(one["private"], one["login"], one["connection"]) for one in server.mails] == [(True, "shop", 1)] * 2


@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_a_certificate_nobody_vouches_for_is_not_talked_to(start: Start, open_channel: Open, tls: str) -> None:
    server = start(tls=tls, pem=str(PEM))
    error = refused(open_channel(server, tls=tls))
    assert "the certificate of localhost is not good" in str(error)
    assert (error.permanent, error.unknown, server.mails) == (False, False, [])


def test_nor_is_a_certificate_of_somebody_else(
    start: Start, open_channel: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(PEM))
    server = start(tls="starttls", pem=str(PEM))
    error = refused(open_channel(server, tls="starttls", host="127.0.0.1"))
    assert "the certificate of 127.0.0.1 is not good" in str(error)
    assert server.mails == []


def test_starttls_that_is_not_offered_is_not_done_without(start: Start, open_channel: Open) -> None:
    server = start()
    error = refused(open_channel(server, tls="starttls"))
    assert "offers no STARTTLS, and nothing is sent in the clear" in str(error)
    assert (error.permanent, server.mails) == (False, [])


def test_starttls_that_is_offered_and_refused_is_not_done_without(start: Start, open_channel: Open) -> None:
    server = start(tls="starttls", pem=str(PEM), faults=[{"at": "STARTTLS", "do": "454 4.7.0 not now"}])
    error = refused(open_channel(server, tls="starttls"))
    assert "454" in str(error)
    assert (error.permanent, server.mails) == (False, [])


def test_a_login_that_is_not_taken_costs_no_mail(
    start: Start, open_channel: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", "wrong")
    server = start(login=["shop", "s3cret"])
    error = refused(open_channel(server, username="shop", password={"env": "MAIL_PASSWORD"}))
    assert "does not take the login" in str(error)
    assert "wrong" not in str(error)
    assert (error.permanent, error.bounced) == (False, False)
    error = refused(open_channel(server))
    assert "530" in str(error)
    assert (error.permanent, server.mails) == (False, [])
    for server in (start(), start(login=["shop", "x"], faults=[{"at": "AUTH", "do": "334 a"}])):
        error = refused(open_channel(server, username="shop", password={"env": "MAIL_PASSWORD"}))
        assert (error.permanent, server.mails) == (False, [])


def test_a_password_is_there_and_plain_from_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="MAIL_PASSWORD"):
        EmailChannel(settings(username="shop", password={"env": "MAIL_PASSWORD"}))
    monkeypatch.setenv("MAIL_PASSWORD", "żółw")
    with pytest.raises(ConfigError, match="beyond ASCII"):
        EmailChannel(settings(username="shop", password={"env": "MAIL_PASSWORD"}))


# ------------------------------------------------------------------------------------------------ refusals


@pytest.mark.parametrize(
    ("at", "answer", "permanent", "bounced"),
    [
        ("greeting", "421 busy", False, False),
        ("greeting", "554 go away", False, False),
        ("EHLO", "502 what?", False, False),
        ("MAIL", "451 4.3.0 later", False, False),
        ("MAIL", "550 5.7.1 not you", False, False),
        ("MAIL", "552 5.3.4 too large", True, False),
        ("RCPT", "450 4.2.1 greylisted", False, False),
        ("RCPT", "452 too many", False, False),
        ("RCPT", "550 5.1.1 nobody of that name", True, True),
        ("RCPT", "550-5.1.1 nobody of that name\r\n550 5.1.1 look it up", True, True),
        ("RCPT", "550 5.1.10 null MX", True, True),
        ("RCPT", "550 no such user", True, True),
        ("RCPT", "551 not here", True, True),
        ("RCPT", "553 bad name", True, True),
        ("RCPT", "550 5.7.1 policy", True, False),
        ("RCPT", "550 5.2.2 full", True, False),
        ("RCPT", "553 5.1.8 bad sender", True, False),
        ("RCPT", "554 relay denied", True, False),
        ("RCPT", "530 5.7.0 log in first", False, False),
        ("DATA", "451 4.3.0 later", False, False),
        ("DATA", "554 5.5.1 no", True, False),
        ("end", "451 4.7.1 greylisted", False, False),
        ("end", "554 5.7.1 spam", True, False),
        ("end", "550 unwanted", True, False),
        ("end", "550 5.1.1 nobody of that name", True, True),
        ("end", "552 5.3.4 too large", True, False),
        ("RCPT", "nonsense", False, False),
        ("RCPT", "25", False, False),
    ],
)
def test_refusals(start: Start, open_channel: Open, at: str, answer: str, permanent: bool, bounced: bool) -> None:
    server = start(faults=[{"at": at, "do": answer}])
    error = refused(open_channel(server))
    assert (error.permanent, error.bounced, error.unknown, error.gone) == (permanent, bounced, False, False)
    assert "localhost" in str(error)
    assert server.mails == []


def test_an_answer_to_a_whole_mail_that_says_nothing_leaves_it_unknown(start: Start, open_channel: Open) -> None:
    error = refused(open_channel(start(faults=[{"at": "end", "do": "nonsense"}])))
    assert (error.unknown, error.permanent) == (True, False)


def test_whom_one_refusal_is_about_is_nobody_else(start: Start, open_channel: Open) -> None:
    server = start(faults=[{"at": "RCPT", "do": "550 5.1.1 nobody", "to": "gone@example.com"}])
    channel = open_channel(server)
    gone = seal(replace(ACTION, variables={"person": {"email": "gone@example.com"}}))
    for _ in range(3):
        assert refused(channel, gone).bounced
        channel.send(seal())
    assert [(one["to"], one["connection"]) for one in server.mails] == [(["ann@example.com"], 1)] * 3


def test_a_mail_beyond_what_the_server_takes_is_refused_before_it_is_sent(start: Start, open_channel: Open) -> None:
    server = start(size=5_000)
    large = seal(replace(ACTION, message=Message("s", "x" * 10_000)))
    error = refused(open_channel(server), large)
    assert error.permanent
    assert "refused MAIL" in str(error)
    assert server.mails == []


def test_a_server_s_words_are_cut_and_printable(start: Start, open_channel: Open) -> None:
    error = refused(open_channel(start(faults=[{"at": "RCPT", "do": "550 \x1b[2J" + "x" * 1_000}])))
    assert str(error).isprintable()
    assert len(str(error)) < 300


# ------------------------------------------------------------------------------------------------ connections that end


@pytest.mark.parametrize(
    ("at", "unknown"),
    [("greeting", False), ("EHLO", False), ("MAIL", False), ("RCPT", False), ("DATA", False), ("end", True)],
)
def test_a_connection_that_is_dropped(start: Start, open_channel: Open, at: str, unknown: bool) -> None:
    error = refused(open_channel(start(faults=[{"at": at, "do": "drop"}])))
    assert (error.unknown, error.permanent) == (unknown, False)
    assert "closed the connection" in str(error)


def test_a_connection_that_is_dropped_amid_a_mail_has_brought_none(start: Start, open_channel: Open) -> None:
    server = start(faults=[{"at": "content", "do": "drop"}])
    error = refused(open_channel(server), seal(replace(ACTION, message=Message("s", "x" * 8_000_000))))
    assert (error.unknown, error.permanent, server.mails) == (False, False, [])


@pytest.mark.parametrize("at", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("do", ["drop", "421 4.4.2 idle"])
def test_a_connection_that_was_dropped_while_idle_is_made_anew(
    start: Start, open_channel: Open, at: str, do: str
) -> None:
    fault = {"at": at, "do": do, "to": "second@example.com", "times": 1}
    if at == "MAIL":  # the recipient of the mail before still stands
        fault |= {"to": "ann@example.com"}
    server = start(faults=[fault])
    channel = open_channel(server)
    channel.send(seal())
    channel.send(seal(replace(ACTION, variables={"person": {"email": "second@example.com"}})))
    assert [(one["to"], one["connection"]) for one in server.mails] == [
        (["ann@example.com"], 1), (["second@example.com"], 2),
    ]  # fmt: skip


def test_a_whole_mail_is_never_sent_again_by_itself(start: Start, open_channel: Open) -> None:
    server = start(faults=[{"at": "end", "do": "drop", "to": "second@example.com"}])
    channel = open_channel(server)
    channel.send(seal())
    assert refused(channel, seal(replace(ACTION, variables={"person": {"email": "second@example.com"}}))).unknown
    assert len(server.mails) == 2


def test_what_was_silent_for_long_is_made_anew(
    start: Start, open_channel: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = start()
    channel = open_channel(server)
    real, gone = time.monotonic, 0.0
    monkeypatch.setattr("engine.delivery.smtp.time.monotonic", lambda: real() + gone)
    for gone in (0.0, IDLE_SECONDS - 1, 2 * IDLE_SECONDS):  # noqa: B007 - the clock reads it
        channel.send(seal())
    assert [one["connection"] for one in server.mails] == [1, 1, 2]


def test_a_server_that_is_not_there(open_channel: Open, tmp_path: Path) -> None:
    for host in ("localhost", "no-such-host.invalid", "a..b"):
        error = refused(open_channel(Server(1, tmp_path), host=host))
        assert (error.permanent, error.unknown) == (False, False)
        assert host in str(error)


def test_a_server_that_takes_no_connection_is_left_in_time(open_channel: Open, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, ExitStack() as stack:
        port = full.getsockname()[1]
        for _ in range(3):  # more than wait for being taken: whoever comes now waits in vain
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", port))
        channel = open_channel(Server(port, tmp_path), host="127.0.0.1", connect_timeout=timedelta(milliseconds=300))
        with at_most(4):
            error = refused(channel)
    assert (error.permanent, error.unknown) == (False, False)
    assert "could not be reached in time" in str(error)


def test_a_server_may_answer_so_much_and_no_more(start: Start, open_channel: Open) -> None:
    full = "250-" + "a" * 4_090 + "\r\n"
    longest = full * (ANSWER_BYTES // len(full) - 1) + "250 " + "a" * 4_090
    assert len(longest) + 2 == ANSWER_BYTES
    server = start(faults=[{"at": "MAIL", "do": longest}])
    open_channel(server).send(seal())
    assert len(server.mails) == 1
    server = start(faults=[{"at": "MAIL", "do": longest + "a"}])
    assert "does not stop talking" in str(refused(open_channel(server)))
    assert "does not stop talking" in str(refused(open_channel(start(faults=[{"at": "EHLO", "do": "flood"}]))))


@pytest.mark.parametrize(
    ("at", "do"),
    [
        *product(["greeting", "EHLO", "MAIL", "RCPT", "DATA", "end"], ["hang", "drip", "flood"]),
        *product(["content"], ["hang", "sip"]),
    ],
)
def test_a_server_that_does_not_come_to_the_point_is_left_in_time(
    start: Start, open_channel: Open, at: str, do: str
) -> None:
    lines = 1 if at != "content" else 500_000  # more than what lies between two sockets holds
    large = replace(ACTION, sealed=Sealed((b"x" * 78 + b"\r\n") * lines, "ann@example.com"))
    channel = open_channel(start(faults=[{"at": at, "do": do}]), timeout=timedelta(milliseconds=300))
    with at_most(4):
        error = refused(channel, large)
    assert (error.permanent, error.unknown) == (False, at == "end")
