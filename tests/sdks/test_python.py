"""The clients for Python: Segment's and RudderStack's."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pytest
import rudderstack.analytics.client as rudder
import segment.analytics.client as segment

from tests.sdks import journey
from tests.sdks.conftest import Service

FIELDS = {"userId": "user_id", "anonymousId": "anonymous_id", "previousId": "previous_id"}


def tell(client: Any) -> None:
    """The story, which the client sends in batches of its own making."""
    for said in journey.story():
        call, said["timestamp"] = said.pop("call"), datetime.datetime.fromisoformat(said["timestamp"])
        getattr(client, call)(**{FIELDS.get(name, name): value for name, value in said.items()})
    client.flush()
    client.join()


@pytest.mark.parametrize("gzip", [False, True], ids=["plain", "packed"])
@pytest.mark.parametrize("client", [segment.Client, rudder.Client], ids=["segment", "rudder"])
def test_a_journey(serve: Callable[..., Service], client: Callable[..., Any], gzip: bool) -> None:
    service = serve(journey.RULES)
    failures: list[Any] = []
    told = client(
        service.key,
        host=f"{service.url}/segment",
        gzip=gzip,
        upload_interval=0.1,
        on_error=lambda error, _batch: failures.append(error),
    )
    tell(told)
    assert failures == []
    journey.holds(service)
