"""Incoming webhooks the way of Slack."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from engine.delivery.channels import Closing, Message, Outgoing, Sealed, Sealing, SendError
from engine.delivery.slack import LONGEST, SlackChannel
from engine.delivery_settings import SlackSettings
from engine.errors import ConfigError
from tests.delivery.receivers import OK, answering, receiving, request

ACTION = Outgoing("act_1", "cart", "u<1> & co", "3", "tell_sales", "big cart", 0, 1, {})


def text_of(message: Message | None, action: Outgoing = ACTION) -> str:
    channel = SlackChannel(SlackSettings(type="slack", url="https://hooks.slack.com/services/T/B/x"))
    sealed = channel.seal(replace(action, message=message))
    channel.close()
    content = json.loads(sealed.body)
    assert list(content) == ["text"]
    return str(content["text"])


def test_the_text_of_the_template_goes_as_it_is() -> None:
    assert text_of(Message("Subject", "*Big* cart: <https://x.example|see> &amp; call", "<p>")) == (
        "*Big* cart: <https://x.example|see> &amp; call"
    )


@pytest.mark.parametrize("text", [None, "", " \n"])
def test_without_a_text_it_is_the_subject(text: str | None) -> None:
    assert text_of(Message("Subject", text, "<p>")) == "Subject"


@pytest.mark.parametrize("message", [None, Message(), Message(html="<p>Hi</p>"), Message("", " ")])
def test_without_either_it_is_a_line_in_which_nothing_is_markup(message: Message | None) -> None:
    assert text_of(message) == 'tell_sales "big cart" for u&lt;1&gt; &amp; co by cart (act_1)'


@pytest.mark.parametrize(("length", "end"), [(LONGEST - 1, "x"), (LONGEST, "x"), (LONGEST + 1, "…")])
def test_a_text_that_slack_would_cut_ends_where_one_sees_it(length: int, end: str) -> None:
    found = text_of(Message(text="x" * length))
    assert len(found) == min(length, LONGEST)
    assert found[-1] == end


def test_what_was_sealed_is_posted() -> None:
    got: list[bytes] = []

    def play(connection, over) -> None:
        got.append(request(connection))
        connection.sendall(OK)

    with receiving(play) as receiver:
        channel = SlackChannel(SlackSettings(type="slack", url=receiver.url, allow=["127.0.0.1"]))
        assert isinstance(channel, Sealing)
        assert isinstance(channel, Closing)
        channel.send(replace(ACTION, sealed=Sealed(b'{"text": "as it was"}')))
        channel.close()
    head, _, body = got[0].partition(b"\r\n\r\n")
    assert body == b'{"text": "as it was"}'
    assert b"content-type: application/json" in head
    assert b"act_1" not in head


def test_a_channel_that_is_archived_wants_nothing_more() -> None:
    gone = b"HTTP/1.1 410 Gone\r\ncontent-length: 19\r\n\r\nchannel_is_archived"
    with receiving(answering(gone)) as receiver:
        channel = SlackChannel(SlackSettings(type="slack", url=receiver.url, allow=["127.0.0.1"]))
        with pytest.raises(SendError) as caught:
            channel.send(ACTION)
        channel.close()
    assert caught.value.gone
    assert caught.value.permanent


def test_it_goes_to_no_internal_address() -> None:
    with pytest.raises(ConfigError, match="'allow'"):
        SlackChannel(SlackSettings(type="slack", url="http://169.254.169.254/latest"))
