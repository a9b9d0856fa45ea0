"""The clients for JavaScript: Segment's for Node and, in Chromium, its one for browsers.

They need Node.js, Chromium and the packages of ``tests/sdks/clients`` (``npm ci`` there). Without these the tests are
skipped and say what is missing; with ``SDKS=required`` in the environment they fail.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import PATIENCE
from tests.sdks import journey
from tests.sdks.conftest import Service

pytestmark = pytest.mark.sdks

CLIENTS = Path(__file__).parent / "clients"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


def program(*names: str) -> str:
    """Where a program is that these tests cannot do without."""
    found = next(filter(None, map(shutil.which, names)), None)
    return found or missing(f"{names[0]} is not installed")


def missing(what: str) -> str:
    if os.environ.get("SDKS") == "required":
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture
def node() -> str:
    found = program("node")
    if not (CLIENTS / "node_modules").is_dir():
        missing("the clients are not installed: run 'npm ci' in tests/sdks/clients")
    return found


def output(meanwhile: Callable[[], None], *command: str) -> str:
    """What a client says that ends by itself once its standard input has, after ``meanwhile``."""
    process = subprocess.Popen(
        command, cwd=CLIENTS, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        meanwhile()
    finally:
        try:
            said = process.communicate(timeout=PATIENCE)[0]
        finally:
            process.kill()
        print(said)  # noqa: T201 - for whoever looks why a test failed
    assert process.returncode == 0
    return said


def test_node(serve: Callable[..., Service], node: str) -> None:
    service = serve(journey.RULES)
    told = json.dumps(journey.story())
    output(lambda: journey.holds(service), node, "server.js", service.url, service.key, told)


def browser(
    node: str, service: Service, strategy: str, told: list[dict[str, Any]], meanwhile: Callable[[], None]
) -> str:
    """What Chromium says of the story told in it."""
    api = f"{service.url.removeprefix('http://')}/segment/v1"
    return output(meanwhile, node, "browser.js", program(*BROWSERS), api, service.key, strategy, json.dumps(told))


@pytest.mark.parametrize("strategy", ["standard", "batching"])
def test_browser(serve: Callable[..., Service], node: str, strategy: str) -> None:
    """One by one under their letters, and in batches."""
    service = serve(journey.RULES)
    browser(node, service, strategy, journey.story(), lambda: journey.holds(service))


def test_a_browser_that_is_told_to_wait_comes_back(serve: Callable[..., Service], node: str) -> None:
    """It counts its attempts in a header of its own, about which it has to ask first."""
    service = serve(journey.RULES, api={"rates": {"segment": "1/second"}})
    said = browser(node, service, "standard", journey.story()[:3], lambda: journey.acted(service))
    assert " 429\n" in said
