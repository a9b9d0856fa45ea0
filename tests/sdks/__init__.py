"""Clients of the Segment family, as they are published, against a service at a real port."""

import pytest

pytest.register_assert_rewrite("tests.sdks.journey")
