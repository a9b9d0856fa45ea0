"""The service in this process, and the command as a process: fixtures of the tests of both."""

from __future__ import annotations

from tests.api.conftest import api, make_api
from tests.cli.conftest import lapse, place, serving, started

__all__ = ["api", "lapse", "make_api", "place", "serving", "started"]
