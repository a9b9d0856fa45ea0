"""While the store cannot be opened, the service's socket answers 503."""

from __future__ import annotations

import httpx2
import pytest

from engine.api.server import listening
from engine.api.standin import RETRY_SECONDS, answering


@pytest.mark.parametrize(("method", "path"), [("POST", "/v1/events"), ("GET", "/ready"), ("GET", "/health")])
def test_everybody_is_told_to_come_again(method: str, path: str) -> None:
    with listening("127.0.0.1", 0) as listener, answering(listener):
        port = listener.getsockname()[1]
        for _ in range(2):
            answer = httpx2.request(method, f"http://127.0.0.1:{port}{path}", json={"event": "a"})
            assert answer.status_code == 503
            assert answer.headers["retry-after"] == str(RETRY_SECONDS)
            assert answer.json()["error"]["code"] == "unavailable"


def test_the_socket_serves_whoever_comes_after() -> None:
    with listening("127.0.0.1", 0) as listener:
        before = listener.gettimeout()
        with answering(listener):
            pass
        assert listener.gettimeout() == before
