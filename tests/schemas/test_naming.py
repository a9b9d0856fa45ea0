"""The convention for event names."""

from __future__ import annotations

import pytest

from engine.schemas.naming import suggested_name
from engine.schemas.predefined import PREDEFINED


@pytest.mark.parametrize(
    ("name", "suggested"),
    [
        ("UserSignedUp", "user_signed_up"),
        ("user-signed-up", "user_signed_up"),
        ("userSignedUp", "user_signed_up"),
        ("Purchase", "purchase"),
        ("OpenedEmail", "opened_email"),
        ("Order Completed", "order_completed"),
        ("HTTPErrorSeen", "http_error_seen"),
        ("step2Done", "step2_done"),
        ("SIGNED_UP", "signed_up"),
        ("cart__updated_", "cart_updated"),
        ("ZakupZakończony", "zakup_zakończony"),
    ],
)
def test_a_name_beside_the_convention_gets_one_by_it(name: str, suggested: str) -> None:
    assert suggested_name(name) == suggested


@pytest.mark.parametrize(
    "name", ["user_signed_up", "bought", "step_2_done", "order.paid", "Order.Paid", "???", *PREDEFINED]
)
def test_a_name_by_it_a_predefined_or_a_dotted_one_gets_none(name: str) -> None:
    assert suggested_name(name) is None
