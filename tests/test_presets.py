"""Vendors' exports: each preset reads lines as the vendor writes them, events and people alike.

The samples have the fields that the vendors' own pages describe (``about`` in each preset), with people of our own.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from engine.errors import InputFileError
from engine.files import EventFile
from engine.files.reading import build_reading, preset_names, read_preset
from engine.model import validate
from engine.receipt import Rejection

NOW = 1_780_000_000_000_000
AT = "2025-11-30T10:00:00Z"
UNIX = 1764496800

MIXPANEL = [
    {
        "event": "Signed up",
        "properties": {
            "time": UNIX,
            "distinct_id": "u1",
            "$insert_id": "i1",
            "$device_id": "d1",
            "mp_processing_time_ms": 1764496801000,
            "plan": "free",
        },
    },
    {
        "event": "Viewed",
        "properties": {"time": UNIX, "distinct_id": "$device:d2", "$device_id": "d2", "$insert_id": "i2"},
    },
    {
        "event": "$identify",
        "properties": {"time": UNIX, "$identified_id": "u1", "$anon_id": "d2", "distinct_id": "u1"},
    },
    {"$distinct_id": "u1", "$properties": {"$email": "ana@example.com", "plan": "pro"}},
]
AMPLITUDE = [
    {
        "$insert_id": "i1",
        "event_type": "Song Played",
        "event_time": "2025-11-30 10:00:00.000000",
        "user_id": "u1",
        "device_id": "d1",
        "event_properties": {"song": "A"},
        "user_properties": {"plan": "free"},
        "country": "Poland",
        "amplitude_id": 12345678901,
    },
    {
        "event_type": "$identify",
        "event_time": "2025-11-30 10:00:00.000000",
        "user_id": "u1",
        "device_id": "d1",
        "uuid": "x1",
        "user_properties": {"plan": "pro"},
    },
    {"event_type": "$groupidentify", "event_time": "2025-11-30 10:00:00", "user_id": "u1"},
]
POSTHOG = [
    {
        "uuid": "p1",
        "event": "signed_up",
        "distinct_id": "u1",
        "timestamp": "2025-11-30 10:00:00.000000+00:00",
        "properties": {"plan": "free", "$set": {"email": "ana@example.com"}},
        "created_at": "2025-11-30T10:00:01Z",
        "team_id": 7,
    },
    {
        "uuid": "p2",
        "event": "$identify",
        "distinct_id": "u1",
        "timestamp": AT,
        "properties": json.dumps(
            {"$anon_distinct_id": "a1", "$set": {"email": "ana@example.com"}, "$set_once": {"source": "ad"}}
        ),
    },
    {"distinct_id": "u2", "properties": {"email": "ben@example.com"}, "created_at": AT},
]
SEGMENT = [
    {
        "type": "track",
        "event": "Order Completed",
        "userId": "u1",
        "anonymousId": "a1",
        "timestamp": AT,
        "messageId": "s1",
        "properties": {"total": 59.9},
        "context": {"ip": "203.0.113.9"},
        "integrations": {},
    },
    {
        "type": "identify",
        "userId": "u1",
        "timestamp": AT,
        "messageId": "s2",
        "traits": {"plan": "pro"},
        "receivedAt": AT,
    },
    {
        "type": "page",
        "name": "Pricing",
        "anonymousId": "a1",
        "originalTimestamp": AT,
        "messageId": "s3",
        "properties": {"path": "/pricing"},
    },
    {"type": "alias", "userId": "u1", "previousId": "u0", "timestamp": AT, "messageId": "s4"},
]
RUDDERSTACK_TRACKS = """\
id,anonymous_id,user_id,event,event_text,timestamp,received_at,context_ip,total
r1,a1,u1,order_completed,Order Completed,2025-11-30 10:00:00 UTC,2025-11-30 10:00:01 UTC,203.0.113.9,59.90
"""
GA4 = [
    {
        "event_name": "purchase",
        "event_timestamp": str(UNIX * 1_000_000),
        "user_id": "u1",
        "user_pseudo_id": "12.34",
        "event_params": [
            {"key": "value", "value": {"string_value": None, "int_value": "59", "double_value": None}},
            {"key": "currency", "value": {"string_value": "EUR"}},
            {"key": "tax", "value": {"double_value": 1.5}},
        ],
        "ecommerce": {"purchase_revenue": 59.9, "transaction_id": "t1"},
    },
]
KLAVIYO = [
    {
        "type": "event",
        "id": "k1",
        "attributes": {
            "datetime": "2025-11-30T10:00:00+00:00",
            "timestamp": UNIX,
            "event_properties": {"$value": 59.9},
            "uuid": "k-u1",
            "metric": {"name": "Placed Order"},
        },
        "relationships": {"profile": {"data": {"type": "profile", "id": "01GP"}}},
    },
    {
        "type": "profile",
        "id": "01GP",
        "attributes": {
            "email": "ana@example.com",
            "external_id": "u1",
            "updated": "2025-11-30T10:00:00+00:00",
            "properties": {"plan": "pro"},
        },
    },
]
KLAVIYO_PROFILES = "Email,Klaviyo ID,First Name,Date Added\nana@example.com,01GP,Ana,2025-11-30 10:00:00\n"
CUSTOMERIO = [
    {
        "id": "c1",
        "type": "event",
        "name": "purchase",
        "data": {"total": 59.9},
        "customer_id": "u1",
        "customer_identifiers": {"id": "u1", "email": "ana@example.com", "cio_id": "c0"},
        "timestamp": UNIX,
    },
    {"id": "c2", "type": "sent_email", "customer_id": "u1", "timestamp": UNIX, "delivery_id": "d"},
]
CUSTOMERIO_PEOPLE = "id,email,cio_id,created_at,plan\nu1,ana@example.com,c0,1764496800,pro\n"
BRAZE = [
    {
        "id": "b1",
        "user_id": "braze-1",
        "external_user_id": "u1",
        "time": UNIX,
        "name": "viewed",
        "properties": '{"sku": "A1"}',
        "app_id": "x",
    },
    {
        "id": "b2",
        "user_id": "braze-1",
        "external_user_id": "u1",
        "time": UNIX,
        "product_id": "A1",
        "price": 59.9,
        "currency": "EUR",
    },
    {"external_id": "u1", "braze_id": "braze-1", "email": "ana@example.com", "custom_attributes": {"plan": "pro"}},
]
SHOPIFY_ORDERS = """\
Name,Email,Financial Status,Currency,Total,Created at,Lineitem quantity,Lineitem name,Id
#1001,ana@example.com,paid,EUR,59.90,2025-11-30 11:00:00 +0100,1,Lamp,5550001112223
#1001,ana@example.com,,,,2025-11-30 11:00:00 +0100,2,Bulb,
"""
SHOPIFY_CUSTOMERS = "Customer ID,First Name,Email,Total Spent\n7410991464714,Ana,ana@example.com,59.90\n"
SNOWPLOW = [
    {
        "event": "unstruct",
        "event_name": "add_to_cart",
        "event_id": "e1",
        "user_id": "u1",
        "domain_userid": "d1",
        "derived_tstamp": "2025-11-30T10:00:00.000Z",
        "unstruct_event_com_acme_add_to_cart_1": {"sku": "A1"},
        "contexts_org_w3_performance_timing_1": [{}],
    },
    {
        "event": "page_view",
        "event_name": "page_view",
        "event_id": "e2",
        "domain_userid": "d1",
        "derived_tstamp": "2025-11-30 10:00:00.000",
        "page_url": "https://example.com/",
    },
    {"event": "page_ping", "event_name": "page_ping", "event_id": "e3", "domain_userid": "d1", "derived_tstamp": AT},
]


def of(name: str, who: dict[str, str], body: dict[str, Any]) -> tuple[str, dict[str, str], str | None, dict[str, Any]]:
    return name, who, AT, body


EXPECTED: dict[str, tuple[list[Any] | str, list[Any]]] = {
    "mixpanel": (
        MIXPANEL,
        [
            of("Signed up", {"user_id": "u1", "anonymous_id": "d1", "message_id": "i1"}, {"plan": "free"}),
            of("Viewed", {"anonymous_id": "d2", "message_id": "i2"}, {}),
            of("identify", {"user_id": "u1", "anonymous_id": "d2"}, {}),
            ("identify", {"user_id": "u1"}, None, {"$email": "ana@example.com", "plan": "pro"}),
        ],
    ),
    "amplitude": (
        AMPLITUDE,
        [
            of("Song Played", {"user_id": "u1", "anonymous_id": "d1", "message_id": "i1"}, {"song": "A"}),
            of("identify", {"user_id": "u1", "anonymous_id": "d1", "message_id": "x1"}, {"plan": "pro"}),
        ],
    ),
    "posthog": (
        POSTHOG,
        [
            of("signed_up", {"user_id": "u1", "message_id": "p1"}, {"plan": "free"}),
            of(
                "identify",
                {"user_id": "u1", "anonymous_id": "a1", "message_id": "p2"},
                {"email": "ana@example.com", "source": "ad"},
            ),
            ("identify", {"user_id": "u2"}, None, {"email": "ben@example.com"}),
        ],
    ),
    "segment": (
        SEGMENT,
        [
            of("Order Completed", {"user_id": "u1", "anonymous_id": "a1", "message_id": "s1"}, {"total": 59.9}),
            of("identify", {"user_id": "u1", "message_id": "s2"}, {"plan": "pro"}),
            of("page", {"anonymous_id": "a1", "message_id": "s3"}, {"path": "/pricing", "name": "Pricing"}),
            of("identify", {"user_id": "u1", "previous_id": "u0", "message_id": "s4"}, {}),
        ],
    ),
    "rudderstack": (
        RUDDERSTACK_TRACKS,
        [of("order_completed", {"user_id": "u1", "anonymous_id": "a1", "message_id": "r1"}, {"total": 59.9})],
    ),
    "ga4": (
        GA4,
        [
            of(
                "purchase",
                {"user_id": "u1", "anonymous_id": "12.34"},
                {"value": 59, "currency": "EUR", "tax": 1.5, "revenue": 59.9, "transaction_id": "t1"},
            )
        ],
    ),
    "klaviyo": (
        KLAVIYO,
        [
            of("Placed Order", {"contact_id": "01GP", "message_id": "k-u1"}, {"$value": 59.9}),
            of(
                "identify",
                {"user_id": "u1", "contact_id": "01GP"},
                {"plan": "pro", "email": "ana@example.com"},
            ),
        ],
    ),
    "klaviyo profiles": (
        KLAVIYO_PROFILES,
        [of("identify", {"user_id": "ana@example.com", "contact_id": "01GP"}, {"first_name": "Ana"})],
    ),
    "customerio": (
        CUSTOMERIO,
        [of("purchase", {"user_id": "u1", "contact_id": "c0", "message_id": "c1"}, {"total": 59.9})],
    ),
    "customerio people": (
        CUSTOMERIO_PEOPLE,
        [
            (
                "identify",
                {"user_id": "u1", "contact_id": "c0"},
                None,
                {"email": "ana@example.com", "created_at": UNIX, "plan": "pro"},
            )
        ],
    ),
    "braze": (
        BRAZE,
        [
            of("viewed", {"user_id": "u1", "contact_id": "braze-1", "message_id": "b1"}, {"sku": "A1"}),
            of(
                "purchase",
                {"user_id": "u1", "contact_id": "braze-1", "message_id": "b2"},
                {"product_id": "A1", "price": 59.9, "currency": "EUR"},
            ),
            (
                "identify",
                {"user_id": "u1", "contact_id": "braze-1"},
                None,
                {"plan": "pro", "email": "ana@example.com"},
            ),
        ],
    ),
    "shopify": (
        SHOPIFY_ORDERS,
        [
            of(
                "order_placed",
                {"user_id": "ana@example.com", "message_id": "5550001112223"},
                {
                    "order": "#1001",
                    "financial_status": "paid",
                    "currency": "EUR",
                    "total": 59.9,
                    "lineitem_quantity": 1,
                    "lineitem_name": "Lamp",
                },
            )
        ],
    ),
    "shopify customers": (
        SHOPIFY_CUSTOMERS,
        [
            (
                "identify",
                {"user_id": "ana@example.com", "contact_id": "7410991464714"},
                None,
                {"first_name": "Ana", "total_spent": 59.9},
            )
        ],
    ),
    "snowplow": (
        SNOWPLOW,
        [
            of("add_to_cart", {"user_id": "u1", "anonymous_id": "d1", "message_id": "e1"}, {"sku": "A1"}),
            of("page_view", {"anonymous_id": "d1", "message_id": "e2"}, {"url": "https://example.com/"}),
        ],
    ),
}


def written(path: Path, sample: list[Any] | str) -> Path:
    text = sample if isinstance(sample, str) else "".join(json.dumps(line) + "\n" for line in sample)
    file = path / ("export.csv.gz" if isinstance(sample, str) else "export.jsonl.gz")
    file.write_bytes(gzip.compress(text.encode()))
    return file


def said(item: Any) -> Any:
    """What an item says, without the id of a line that has none of its own."""
    assert not isinstance(item, Rejection), item
    verdict = validate(item, 0, NOW, require_timestamp=True)
    assert not isinstance(verdict, Rejection), verdict
    ids = {
        name: item[name]
        for name in ("user_id", "anonymous_id", "contact_id", "previous_id", "message_id")
        if name in item and (name == "contact_id" or not item[name].endswith("-1"))
    }
    body = item.get("properties", item.get("traits", {}))
    at = item.get("timestamp")
    if at is not None:
        assert verdict.at == UNIX * 1_000_000
        at = AT
    return item.get("event") or item["type"], ids, at, body


@pytest.mark.parametrize("case", EXPECTED)
def test_an_export_is_read_as_the_vendor_writes_it(case: str, tmp_path: Path) -> None:
    sample, expected = EXPECTED[case]
    with EventFile(written(tmp_path, sample), build_reading(case.split(" ", maxsplit=1)[0])) as file:
        assert [said(item) for _, item in file] == expected
        lines = sample.count("\n") - 1 if isinstance(sample, str) else len(sample)
        assert file.notes.skipped == lines - len(expected)


def test_every_preset_has_a_sample_and_says_where_it_is_from() -> None:
    assert {case.split(" ", maxsplit=1)[0] for case in EXPECTED} == set(preset_names())
    for name in preset_names():
        assert build_reading(name).about.startswith("https://")


def test_options_go_before_a_preset(tmp_path: Path) -> None:
    path = written(tmp_path, MIXPANEL[:1])
    reading = build_reading("mixpanel", map={"user_id": "properties.plan"}, constants={"contact_id": "c9"})
    with EventFile(path, reading) as file:
        ((_, item),) = file
    assert isinstance(item, dict)
    assert (item["user_id"], item["contact_id"], item.get("properties")) == ("free", "c9", None)


def test_a_record_that_no_shape_fits_is_refused_with_its_keys(tmp_path: Path) -> None:
    with EventFile(written(tmp_path, [{"foo": 1, "bar": 2}]), build_reading("mixpanel")) as file:
        ((_, item),) = file
    assert isinstance(item, Rejection)
    assert (item.code, "keys foo, bar" in item.reason) == ("unknown_shape", True)


def test_columns_that_fit_no_shape_are_told_before_anything_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("Order,Sum\n1,2\n")
    with EventFile(path, build_reading("shopify")) as file, pytest.raises(InputFileError, match="it has: Order, Sum"):
        file.check()


OWN = """
title = "Till"
zone = "Europe/Warsaw"

[[shapes]]
kind = "event"
constants = { event = "sale" }
fields = { user_id = "card", timestamp = "at" }
unknown = "fold"
"""


def test_a_preset_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "till.toml").write_text(OWN)
    (tmp_path / "till.csv").write_text("card,at,sum\nc1,2025-11-30 11:00,7.5\n")
    with EventFile(tmp_path / "till.csv", build_reading(str(tmp_path / "till.toml"))) as file:
        ((_, item),) = file
    assert isinstance(item, dict)
    assert said(item) == ("sale", {"user_id": "c1"}, AT, {"sum": 7.5})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("shapes = [", "is not TOML"),
        ("", "has no [[shapes]]"),
        ("[[shapes]]\nkinds = 1", "unknown key; did you mean 'kind'?"),
        ("time_units = 'seconds'\n[[shapes]]", "unknown key; did you mean 'time_unit'?"),
        ("[[shapes]]\nfields = { user = 'x' }", "unknown field 'user'; did you mean 'user_id'?"),
        ("zone = 'Europe/Warsav'\n[[shapes]]", "did you mean 'Europe/Warsaw'?"),
    ],
)
def test_a_preset_with_a_mistake_is_told_where(text: str, words: str) -> None:
    with pytest.raises(InputFileError) as caught:
        read_preset(text, "own.toml")
    assert words in str(caught.value)
    assert str(caught.value).startswith("preset own.toml")


def test_an_unknown_preset_is_told_with_the_nearest() -> None:
    with pytest.raises(InputFileError, match=r"unknown preset 'mixpanle'; did you mean 'mixpanel'\?"):
        build_reading("mixpanle")
