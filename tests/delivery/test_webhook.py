"""Webhooks against a real receiver on this machine."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from freezegun import freeze_time
from standardwebhooks import Webhook, WebhookVerificationError

from engine.delivery.channels import Closing, Message, Outgoing, Sealed, Sealing, SendError
from engine.delivery.webhook import WebhookChannel
from engine.delivery_settings import Secret, WebhookSettings
from engine.errors import ConfigError

ACTION = Outgoing(
    "act_0123456789abcdef0123456789abcdef",
    "cart",
    "u1",
    "3",
    "send_email",
    "reminder",
    0,
    1,
    {"with": {"total": 80}, "to": "a@b.c", "person": {"city": "Kraków"}},
)
OLD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NEW = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDazn+utgHdW4="


class Recorder:
    """An HTTP server that keeps what it got and answers as told."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.paths: list[str] = []
        self.status, self.headers = 200, dict[str, str]()
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                recorder.paths.append(self.path)
                recorder.got.append(({key.lower(): value for key, value in self.headers.items()}, body))
                self.send_response_only(recorder.status)
                for name, value in recorder.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        self.url = f"http://127.0.0.1:{self.port}/hook"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    running = Recorder()
    yield running
    running.close()


def channel(url: str | Secret, **more: object) -> WebhookChannel:
    return WebhookChannel(WebhookSettings(type="webhook", **{"url": url, "allow": ["127.0.0.1"], **more}))


def send(url: str | Secret, action: Outgoing = ACTION, **more: object) -> None:
    made = channel(url, **more)
    try:
        made.send(action)
    finally:
        made.close()


def refused(url: str | Secret, action: Outgoing = ACTION, **more: object) -> SendError:
    with pytest.raises(SendError) as caught:
        send(url, action, **more)
    return caught.value


# ---------------------------------------------------------------- what is sent


def test_an_action_is_posted_with_its_key(recorder: Recorder) -> None:
    before = int(time.time())
    send(recorder.url)
    headers, body = recorder.got[0]
    assert headers["webhook-id"] == ACTION.key
    assert headers["content-type"] == "application/json"
    assert before <= int(headers["webhook-timestamp"]) <= time.time()
    assert "webhook-signature" not in headers
    content = json.loads(body)
    assert (content["person"], content["action"], content["with"]) == ("u1", "send_email", {"total": 80})
    assert "message" not in content


def test_it_is_sealed_with_what_its_template_made() -> None:
    made = channel("https://example.com/")
    assert isinstance(made, Sealing)
    assert isinstance(made, Closing)
    content = json.loads(made.seal(replace(ACTION, message=Message("Hi", "text", None))).body)
    assert content["message"] == {"subject": "Hi", "text": "text", "html": None}
    made.close()


def test_it_is_sealed_the_same_way_whatever_the_order_of_its_variables() -> None:
    made = channel("https://example.com/")
    turned = replace(ACTION, variables=dict(reversed(ACTION.variables.items())), attempt=7)
    assert made.seal(ACTION) == made.seal(turned)
    assert b" " not in made.seal(ACTION).body
    made.close()


def test_what_was_sealed_is_sent_byte_for_byte(recorder: Recorder) -> None:
    body = b'{ "anything":\t"at all \xf0\x9f\x8e\x89" }\n'
    send(recorder.url, replace(ACTION, sealed=Sealed(body), message=Message("not", "this")))
    assert recorder.got[0][1] == body


def test_the_url_is_asked_for_as_it_is_written(recorder: Recorder) -> None:
    send(f"http://127.0.0.1:{recorder.port}/a%2Fb;c/../d//e?x=1&y=%0d%0a&z[]=@")
    assert recorder.paths == ["/a%2Fb;c/../d//e?x=1&y=%0d%0a&z[]=@"]
    assert recorder.got[0][0]["host"] == f"127.0.0.1:{recorder.port}"


def test_no_compressed_answer_is_asked_for(recorder: Recorder) -> None:
    send(recorder.url)
    assert recorder.got[0][0]["accept-encoding"] == "identity"


def test_the_environment_changes_nothing(recorder: Recorder, monkeypatch, tmp_path: Path) -> None:
    """No proxy, no netrc: where an action goes, and as whom, stands in the settings alone."""
    other = Recorder()
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{other.port}")
    netrc = tmp_path / "netrc"
    netrc.write_text("default login u password p\nmachine 127.0.0.1 login u password p\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    send(recorder.url)
    other.close()
    assert other.got == []
    assert {"authorization", "proxy-authorization", "cookie"}.isdisjoint(recorder.got[0][0])


def test_no_cookie_is_kept(recorder: Recorder) -> None:
    recorder.headers = {"set-cookie": "a=b; Path=/"}
    made = channel(recorder.url)
    made.send(ACTION)
    made.send(ACTION)
    made.close()
    assert all("cookie" not in headers for headers, _ in recorder.got)


def test_many_threads_send_at_once(recorder: Recorder) -> None:
    made = channel(recorder.url, concurrency=4)
    actions = [replace(ACTION, key=f"act_{number}") for number in range(40)]
    threads = [
        threading.Thread(target=lambda part=part: [made.send(one) for one in actions[part::4]]) for part in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    made.close()
    assert sorted(headers["webhook-id"] for headers, _ in recorder.got) == sorted(one.key for one in actions)


INJECTIONS = [
    "",
    "act_1\r\nx-injected: yes",
    "act_1\nx-injected: yes",
    "act_1\rx-injected: yes",
    "act_1\r\n\r\nPOST /other HTTP/1.1",
    "act_1\0",
    "act_1 ",
    " act_1",
    "act_1\t",
    "act_1\x7f",
    "act_1\x0bx",
    "act_1\x85x",
    "act_1\u2028x",
    "act_1\u560d\u560ax-injected: yes",  # CR and LF where only the lower byte is kept
    "żółw",
    "\ud800",
    "act.1",
    "act,1",
    "act;1",
    "act:1",
    'act"1',
    "a" * 129,
]


@pytest.mark.parametrize("key", INJECTIONS)
def test_a_key_brings_no_header(recorder: Recorder, key: str) -> None:
    error = refused(recorder.url, replace(ACTION, key=key))
    assert error.permanent
    assert recorder.got == []


@pytest.mark.parametrize("text", [*INJECTIONS, "</script>", "\r\n--boundary\r\n", "{{ secret }}", "%0d%0a"])
def test_no_value_leaves_the_body(recorder: Recorder, text: str) -> None:
    variables = {"with": {text: text}, "to": text, "person": {"name": text}}
    send(recorder.url, replace(ACTION, variables=variables, rule=text, person=text, template=text))
    headers, body = recorder.got[0]
    assert set(headers) == {
        "host", "user-agent", "accept", "accept-encoding", "content-length", "content-type", "webhook-id",
        "webhook-timestamp",
    }  # fmt: skip
    content = json.loads(body)
    assert (content["with"], content["attributes"]["name"], content["rule"]) == ({text: text}, text, text)
    assert len(recorder.got) == 1


# ---------------------------------------------------------------- what is answered


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_taken_for_received(recorder: Recorder, status: int) -> None:
    recorder.status = status
    send(recorder.url)
    assert len(recorder.got) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(recorder: Recorder, status: int) -> None:
    recorder.status = status
    recorder.headers = {"location": f"http://127.0.0.1:{recorder.port}/other"}
    error = refused(recorder.url)
    assert f"answered {status}, and redirects are not followed" in str(error)
    assert error.permanent
    assert recorder.paths == ["/hook"]


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 501, 502, 503, 504, 599])
def test_these_answers_are_worth_another_try(recorder: Recorder, status: int) -> None:
    recorder.status = status
    recorder.headers = {"retry-after": "7"}
    error = refused(recorder.url)
    assert str(status) in str(error)
    assert (error.permanent, error.gone, error.retry_after) == (False, False, 7)
    assert error.unknown == (status in (502, 504))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 413, 422, 451])
def test_these_answers_are_final(recorder: Recorder, status: int) -> None:
    recorder.status = status
    recorder.headers = {"retry-after": "7"}
    error = refused(recorder.url)
    assert str(status) in str(error)
    assert (error.permanent, error.gone, error.retry_after) == (True, status == 410, None)


# ---------------------------------------------------------------- signatures


def secret(monkeypatch, name: str, value: str) -> Secret:
    monkeypatch.setenv(name, value)
    return Secret(env=name)


def verified(secret: str, headers: dict[str, str], body: bytes) -> Any:
    return Webhook(secret).verify(body, headers)


def test_the_official_verifier_accepts_the_signature(recorder: Recorder, monkeypatch) -> None:
    send(recorder.url, secrets=[secret(monkeypatch, "HOOK", OLD)])
    assert verified(OLD, *recorder.got[0])["person"] == "u1"


def test_during_a_rotation_both_secrets_verify_and_before_and_after_it_one(recorder: Recorder, monkeypatch) -> None:
    old, new = secret(monkeypatch, "OLD", OLD), secret(monkeypatch, "NEW", NEW)
    for secrets in ([old], [old, new], [new, old], [new]):
        send(recorder.url, secrets=secrets)
    passes = [[_verifies(one, *got) for one in (OLD, NEW)] for got in recorder.got]
    assert passes == [[True, False], [True, True], [True, True], [False, True]]


def _verifies(secret: str, headers: dict[str, str], body: bytes) -> bool:
    try:
        verified(secret, headers, body)
    except WebhookVerificationError:
        return False
    return True


def test_what_was_tampered_with_is_refused(recorder: Recorder, monkeypatch) -> None:
    send(recorder.url, secrets=[secret(monkeypatch, "OLD", OLD), secret(monkeypatch, "NEW", NEW)])
    headers, body = recorder.got[0]
    later = str(int(headers["webhook-timestamp"]) + 1)
    assert _verifies(OLD, headers, body)
    assert not _verifies(OLD, headers, body.replace(b"80", b"81"))
    assert not _verifies(OLD, headers, body + b" ")
    assert not _verifies(OLD, {**headers, "webhook-id": "act_2"}, body)
    assert not _verifies(OLD, {**headers, "webhook-timestamp": later}, body)


def test_every_attempt_says_the_same_and_is_signed_anew(recorder: Recorder, monkeypatch) -> None:
    secrets = [secret(monkeypatch, "HOOK", OLD)]
    recorder.status = 500
    with freeze_time("2026-01-01"):
        refused(recorder.url, secrets=secrets)
        assert _verifies(OLD, *recorder.got[0])
    recorder.status = 200
    with freeze_time("2026-01-03"):
        send(recorder.url, replace(ACTION, attempt=2), secrets=secrets)
        assert [_verifies(OLD, *got) for got in recorder.got] == [False, True]
    (first, first_body), (second, second_body) = recorder.got
    assert (first["webhook-id"], first_body) == (second["webhook-id"], second_body)
    assert int(second["webhook-timestamp"]) - int(first["webhook-timestamp"]) == 2 * 86_400


# ---------------------------------------------------------------- what cannot work


@pytest.mark.parametrize(
    ("value", "words"),
    [("plain", "begins with 'whsec_'"), ("whsec_???", "base64"), ("whsec_QUJD", "24 bytes or more")],
)
def test_a_secret_that_is_none_is_named_and_not_shown(monkeypatch, value: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        channel("https://example.com/", secrets=[secret(monkeypatch, "HOOK_SECRET", value)])
    assert "HOOK_SECRET" in str(caught.value)
    assert value not in str(caught.value)


def test_a_secret_that_is_missing_is_named(monkeypatch) -> None:
    monkeypatch.delenv("HOOK_SECRET", raising=False)
    with pytest.raises(ConfigError, match="HOOK_SECRET is empty or not set"):
        channel("https://example.com/", secrets=[Secret(env="HOOK_SECRET")])


def test_a_url_may_be_a_secret(recorder: Recorder, monkeypatch) -> None:
    send(secret(monkeypatch, "HOOK_URL", recorder.url))
    assert len(recorder.got) == 1
    monkeypatch.setenv("HOOK_URL", "http://user:s3cret@example.com/")
    with pytest.raises(ConfigError, match="no user name") as caught:
        channel(Secret(env="HOOK_URL"))
    assert "s3cret" not in str(caught.value)


def test_an_address_that_is_not_public_is_refused_when_the_channel_is_made(recorder: Recorder) -> None:
    with pytest.raises(ConfigError, match=r"127\.0\.0\.1 is not a public address.*'allow'"):
        channel(recorder.url, allow=[])


def test_without_its_extra_it_says_how_to_get_it(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "httpcore2", None)
    for name in ("client", "network"):
        monkeypatch.delitem(sys.modules, f"engine.delivery.{name}")
    with pytest.raises(ConfigError, match=r"pip install 'lapse\[webhook\]'"):
        channel("https://example.com/")
