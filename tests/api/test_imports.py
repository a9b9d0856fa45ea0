"""Uploads: of any size, in parts, cut anywhere and taken up again, each line once."""

from __future__ import annotations

import asyncio
import datetime
import json
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from engine.api import spellings
from engine.api.imports import BLOCK
from engine.api.spellings import Kind
from engine.clock import DAY
from engine.errors import ImportMoved
from engine.files import EventFile
from engine.files.lines import LONGEST_LINE
from engine.ingesting import ingest_file
from engine.receipt import Receipt
from engine.runtime import importing
from engine.runtime.deciding import Deciding
from engine.runtime.engine import Engine
from tests.api.conftest import Api

CSV = {"Content-Type": "text/csv"}
JSONL = {"Content-Type": "application/x-ndjson"}
LAST = {"Upload-Complete": "?1"}
HEADER = b"event,user_id,timestamp,amount\n"


def rows(count: int, first: int = 0) -> bytes:
    return b"".join(b"bought,u%d,2025-12-31T10:00:00Z,%d\n" % (n % 7, n) for n in range(first, first + count))


def begin(api: Api, body: bytes = b"", query: str = "", key: str = "", **headers: str) -> httpx2.Response:
    return api.post(f"/native/v1/imports{query}", body, key=key, headers={**CSV, **headers})


def go_on(api: Api, id: str, offset: int, body: bytes, last: bool = False) -> httpx2.Response:
    headers = {**CSV, "Upload-Offset": str(offset), **(LAST if last else {})}
    return api.ask("PATCH", f"/native/v1/imports/{id}", body, headers=headers)


def state(api: Api, id: str) -> dict[str, Any]:
    found: dict[str, Any] = api.get(f"/native/v1/imports/{id}").json()
    return found


def refused(answer: httpx2.Response, status: int, code: str) -> str:
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), answer.text
    return str(answer.json()["error"]["message"])


def figures(told: dict[str, Any]) -> tuple[int, ...]:
    return tuple(told[name] for name in ("offset", "stored", "duplicates", "conflicts", "rejected"))


def total(api: Api) -> int:
    return sum(one.times for one in api.engine.event_counts("week"))


# ------------------------------------------------------------------------------------------ the whole


def test_a_file_in_one_request(api: Api) -> None:
    data = HEADER + rows(2_500)
    answer = begin(api, data, **LAST)
    told = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/native/v1/imports/{told['id']}"
    assert answer.headers["upload-offset"] == str(len(data))
    assert figures(told) == (len(data), 2_500, 0, 0, 0)
    assert (told["complete"], told["kind"], told["historical"], told["rejections"]) == (True, "csv", False, [])
    assert state(api, told["id"]) == told
    assert total(api) == 2_500


def test_a_file_in_parts_of_any_size(api: Api) -> None:
    data = HEADER + rows(300) + 'bought,é,2025-12-31T10:00:00Z,"1\n2"'.encode()
    id, offset = begin(api).json()["id"], 0
    for size in [1, 5, 40, 3, 700, 1, 2_000, 0, 10_000]:
        told = go_on(api, id, offset, data[offset : offset + size]).json()
        offset = told["offset"]
        assert state(api, id) == told
    assert (offset, told["complete"]) == (len(data), False)
    assert figures(go_on(api, id, offset, b"", last=True).json()) == (len(data), 301, 0, 0, 0)
    assert api.engine.events("é").events[0].properties == {"amount": "1\n2"}


def test_json_lines(api: Api) -> None:
    lines = [
        {"event": "bought", "user_id": "ann", "timestamp": "2025-12-31T10:00:00Z", "properties": {"amount": 1}},
        {"type": "identify", "user_id": "ann", "timestamp": "2025-12-31T10:00:00Z", "traits": {"plan": "free"}},
    ]
    body = "\n".join(map(json.dumps, lines)).encode()
    for kind in ("application/x-ndjson", "application/jsonl; charset=utf-8", "application/json"):
        told = begin(api, body, **{"Content-Type": kind}, **LAST).json()
        assert (told["kind"], told["stored"] + told["duplicates"]) == ("jsonl", 2)
    person = api.engine.person("ann")
    assert person is not None
    assert person.attributes == {"plan": "free"}


def test_columns_may_have_other_names(api: Api) -> None:
    data = b"What;Who;When\nbought;ann;2025-12-31T10:00:00Z\n"
    query = "?map=event%3DWhat&map=user_id%3DWho&map=timestamp%3DWhen"
    assert begin(api, data, query, **LAST).json()["stored"] == 1


def test_history_starts_nothing(make_api: Callable[..., Api]) -> None:
    api = make_api("Rule: r\nTrigger: bought\nAction: send_email\n")
    data = b"event,user_id,timestamp\nbought,%b,2026-01-01T00:00:00Z\n"
    assert begin(api, data % b"ann", "?historical=true", **LAST).json()["historical"] is True
    api.move("1 minute")
    assert api.actions == []
    begin(api, data % b"bob", **LAST)
    api.move("1 minute")
    assert [one.person for one in api.actions] == ["bob"]


HISTORY_RULES = """
Rule: loyal
Trigger: None
Condition: bought at least 3 times in the last 30 days
Action: send_email "thanks"
Existing people: include

Rule: lapsed
Trigger: bought
Condition: NOT bought within 3 days
Action: send_email "we miss you"
"""


def waiting(engine: Engine) -> int:
    """How many pairs of person and rule wait for the rest of a file of history."""
    with engine.store.read() as connection:
        found: int = connection.exec_driver_sql("SELECT count(*) FROM set_aside").scalar_one()
        return found


def decided(engine: Engine) -> list[tuple[Any, ...]]:
    with engine.store.read() as connection:
        text = (
            "SELECT rule, value, start, ended_at, reason, acted_at, "
            "(SELECT value FROM identifiers WHERE person_id = journeys.person_id) AS who FROM journeys"
        )
        return sorted(map(tuple, connection.exec_driver_sql(text)), key=repr)


def test_an_upload_of_history_is_decided_once_as_the_command_decides_it(
    make_api: Callable[..., Api], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = make_api(HISTORY_RULES, other_rules=HISTORY_RULES)
    data = HEADER + rows(60)
    for engine in (api.engine, api.other):
        engine.ingest({"event": "bought", "user_id": "u1", "timestamp": "2025-12-31T22:00:00Z"})
    pairs: list[int] = []
    decide = Deciding.decide
    monkeypatch.setattr(Deciding, "decide", lambda self, touches: pairs.append(len(touches)) or decide(self, touches))
    told = begin(api, data[:400], "?historical=true").json()
    while told["offset"] < len(data):
        part = data[told["offset"] : told["offset"] + 400]
        assert waiting(api.engine)
        told = go_on(api, told["id"], told["offset"], part, last=told["offset"] + 400 >= len(data)).json()
    assert (told["stored"], told["complete"], sum(pairs)) == (60, True, 0)
    api.engine.run_due()
    assert waiting(api.engine) == 0
    assert sum(pairs) <= 7 * 2, "seven people under two rules, once each"
    (tmp_path / "same.csv").write_bytes(data)
    with EventFile(tmp_path / "same.csv") as file:
        assert ingest_file(api.other, file, historical=True).stored == 60
    api.other.run_due()
    assert [one[1:] for one in decided(api.engine) if one] == [one[1:] for one in decided(api.other)]
    assert api.engine.counts_by_rule()[0].started


def test_an_upload_of_history_that_stays_incomplete_is_decided_all_the_same(make_api: Callable[..., Api]) -> None:
    api = make_api(HISTORY_RULES)
    begin(api, HEADER + rows(30), "?historical=true")
    api.engine.run_due()
    assert waiting(api.engine)
    api.move("61 seconds")
    assert waiting(api.engine) == 0


# ------------------------------------------------------------------------------------------ bad lines


def test_a_bad_line_costs_itself_only(api: Api) -> None:
    bad = b"bought,ann\nbought,,2025-12-31T10:00:00Z,1\nbought,ann,,1\n,\xff,,\n"
    told = begin(api, HEADER + rows(2) + bad + rows(2, 2), **LAST).json()
    assert (told["stored"], told["rejected"]) == (4, 4)
    assert [(one["line"], one["code"]) for one in told["rejections"]] == [
        (4, "bad_row"), (5, "no_person"), (6, "timestamp_missing"), (7, "not_utf8"),
    ]  # fmt: skip
    assert list(told["rejections"][0]) == ["line", "code", "reason", "field"]


@pytest.mark.parametrize("most", [0, 3])
def test_only_so_many_refusals_are_told_one_by_one(make_api: Callable[..., Api], most: int) -> None:
    api = make_api(api={"import_rejections": most})
    id = begin(api, HEADER + b"x\n" * 2).json()["id"]
    told = go_on(api, id, len(HEADER) + 4, b"x\n" * 2, last=True).json()
    assert (told["rejected"], [one["line"] for one in told["rejections"]]) == (4, [2, 3, 4][:most])


def test_a_message_id_that_is_taken_by_another_event_is_a_conflict(api: Api) -> None:
    header = b"event,user_id,timestamp,message_id\n"
    line = b"bought,%b,2025-12-31T10:00:00Z,m1\n"
    told = begin(api, header + line % b"ann" + line % b"ann" + line % b"bob", **LAST).json()
    assert figures(told)[1:] == (1, 1, 1, 0)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x1f\x8b\x08\0\0\0", "gzipped"),
        (b"a,b\n", "has none for event, timestamp"),
        ("event\n".encode("utf-16"), "UTF-16"),
    ],
)
def test_a_file_that_cannot_be_read_at_all(api: Api, data: bytes, reason: str) -> None:
    assert reason in refused(begin(api, data, **LAST), 422, "unreadable_file")
    id = begin(api).json()["id"]
    assert reason in refused(go_on(api, id, 0, data, last=True), 422, "unreadable_file")
    assert figures(state(api, id)) == (0, 0, 0, 0, 0)
    assert go_on(api, id, 0, HEADER + rows(1), last=True).json()["stored"] == 1


# ------------------------------------------------------------------------------------------ each line once


def test_a_file_sent_again_is_stored_once_whichever_way_it_comes(api: Api, tmp_path: Path) -> None:
    data = HEADER + rows(5) + rows(5)
    (tmp_path / "same.csv").write_bytes(data)
    begun = len(HEADER + rows(3)) + 1
    assert figures(begin(api, data[:begun]).json()) == (begun, 3, 0, 0, 0)  # and is never finished
    told = begin(api, data, **LAST).json()
    assert (told["stored"], told["duplicates"]) == (7, 3)
    with EventFile(tmp_path / "same.csv") as file:
        assert ingest_file(api.engine, file).duplicates == 10
    assert total(api) == 10


def test_equal_lines_are_different_events_across_parts_too(api: Api) -> None:
    id = begin(api, HEADER + rows(1) + rows(1)).json()["id"]
    offset = len(HEADER + rows(1)) + len(rows(1))
    told = go_on(api, id, offset, rows(1) + rows(1), last=True).json()
    assert (told["stored"], told["duplicates"]) == (4, 0)


def test_a_part_sent_at_the_wrong_place_is_refused_with_the_right_one(api: Api) -> None:
    data = HEADER + rows(3)
    id = begin(api, data).json()["id"]
    for wrong in (0, len(data) - 1, len(data) + 1):
        answer = go_on(api, id, wrong, rows(1))
        refused(answer, 409, "offset_differs")
        assert answer.headers["upload-offset"] == str(len(data))
    assert figures(state(api, id)) == (len(data), 3, 0, 0, 0)


def test_a_complete_file_takes_no_more(api: Api) -> None:
    data = HEADER + rows(1)
    id = begin(api, data, **LAST).json()["id"]
    refused(go_on(api, id, len(data), rows(1)), 409, "complete")
    assert figures(state(api, id)) == (len(data), 1, 0, 0, 0)


def test_of_two_who_send_the_same_part_one_is_refused_and_nothing_is_stored_twice(api: Api) -> None:
    id = begin(api).json()["id"]
    row = importing.find(api.engine, spellings.read(id, Kind.IMPORT) or b"")
    assert row is not None
    first = importing.add(api.engine, row, HEADER + rows(3), counted=nothing)
    with pytest.raises(ImportMoved):
        importing.add(api.engine, row, HEADER + rows(3) + rows(3, 5), counted=nothing)
    assert (total(api), figures(state(api, id))[1]) == (3, 3)
    importing.add(api.engine, first, b"", last=True, counted=nothing)
    with pytest.raises(ImportMoved):
        importing.add(api.engine, first, b"", last=True, counted=nothing)


def nothing(_receipt: Receipt) -> None:
    return


# ------------------------------------------------------------------------------------------ somebody is erased


def held(api: Api) -> str:
    """All that the store holds of uploads."""
    with api.engine.store.read() as connection:
        return str(connection.exec_driver_sql("SELECT * FROM imports").all())


def test_of_who_is_erased_no_upload_keeps_a_word(api: Api) -> None:
    api.engine.ingest({"event": "seen", "user_id": "ann@x.org"})
    bad = b"bought,u1,ann@x.org,1\n"
    whole = begin(api, HEADER + bad, **LAST).json()["id"]
    data = HEADER + rows(3) + bad + b"bought,ann@x.org,2025-12-31T10:00:00Z,1\n" + rows(3, 3)
    cut = data.rindex(b"ann@x.org") + len(b"ann@x.org")
    id = begin(api, data[:cut]).json()["id"]
    assert held(api).count("ann@x.org") == 3

    api.engine.erase("ann@x.org")
    assert "ann@x.org" not in held(api)
    assert (figures(state(api, whole))[4], state(api, whole)["rejections"]) == (1, [])
    settled = data.rindex(b"bought,ann@x.org")
    assert figures(state(api, id)) == (settled, 3, 0, 0, 1)

    answer = go_on(api, id, cut, data[cut:], last=True)
    refused(answer, 409, "offset_differs")
    assert answer.headers["upload-offset"] == str(settled)
    told = go_on(api, id, settled, data[settled:], last=True).json()
    assert figures(told) == (len(data), 6, 0, 0, 2)
    assert [(one["line"], one["code"]) for one in told["rejections"]] == [(6, "erased")]
    assert "ann@x.org" not in held(api)


@pytest.mark.parametrize("kept", [b"bought,ann@x", b"bought,u1,ann@x.org,1\n"], ids=["waiting", "rejected"])
def test_what_is_being_taken_in_while_somebody_is_erased_brings_no_word_back(api: Api, kept: bytes) -> None:
    api.engine.ingest({"event": "seen", "user_id": "ann@x.org"})
    id = begin(api, HEADER + rows(1) + kept).json()["id"]
    row = importing.find(api.engine, spellings.read(id, Kind.IMPORT) or b"")
    assert row is not None
    api.engine.erase("ann@x.org")
    with pytest.raises(ImportMoved):
        importing.add(api.engine, row, b"bought", counted=nothing)
    assert "ann@x" not in held(api)
    assert state(api, id)["stored"] == 1


def test_a_first_part_that_is_set_back_says_where_to_go_on(api: Api) -> None:
    api.engine.ingest({"event": "seen", "user_id": "ann@x.org"})
    first = HEADER + rows(3) + b"bought,u1,2025-12-31T10:00:00Z," + b"1" * BLOCK

    async def sending() -> AsyncIterator[bytes]:
        yield first
        await asyncio.to_thread(api.engine.erase, "ann@x.org")
        yield b"\n"

    headers = {**CSV, "Authorization": f"Bearer {api.key}"}
    answer = api.portal.call(
        lambda: api._client.request("POST", "/native/v1/imports", content=sending(), headers=headers)
    )
    refused(answer, 409, "offset_differs")
    told = api.get(answer.headers["location"]).json()
    assert figures(told) == (len(HEADER + rows(3)), 3, 0, 0, 0)
    assert answer.headers["upload-offset"] == str(told["offset"])


def test_uploads_of_other_workspaces_are_left_alone(api: Api) -> None:
    api.engine.ingest({"event": "seen", "user_id": "ann@x.org"})
    begin(api, HEADER + b"bought,ann@x.org", key=api.other_key)
    api.engine.erase("ann@x.org")
    assert "ann@x.org" in held(api)


# ------------------------------------------------------------------------------------------ cuts


class Connection:
    """An ASGI client whose connection breaks after the chunks it was given."""

    def __init__(self, api: Api, method: str, path: str, **headers: str) -> None:
        sent = {"authorization": f"Bearer {api.key}", **{name.lower(): one for name, one in headers.items()}}
        self._api = api
        self._scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [(name.encode(), one.encode()) for name, one in sent.items()],
            "client": ("192.0.2.1", 1),
            "server": ("lapse.test", 80),
            "scheme": "http",
        }

    def send_and_break(self, *chunks: bytes) -> None:
        coming: Iterator[dict[str, Any]] = iter(
            [{"type": "http.request", "body": one, "more_body": True} for one in chunks] + [{"type": "http.disconnect"}]
        )

        async def receive() -> dict[str, Any]:
            return next(coming)

        async def send(_message: Any) -> None:
            return

        self._api.portal.call(self._api.app, self._scope, receive, send)


def test_a_connection_cut_anywhere_keeps_what_came(api: Api) -> None:
    data = HEADER + rows(3_000)
    id = begin(api).json()["id"]
    path = f"/native/v1/imports/{id}"
    for size in (10, 1_234, 50_000):
        offset = state(api, id)["offset"]
        part = data[offset : offset + size]
        Connection(api, "PATCH", path, **CSV, **LAST, **{"Upload-Offset": str(offset)}).send_and_break(
            part[: size // 2], part[size // 2 :]
        )
        told = state(api, id)
        assert (told["offset"], told["complete"]) == (offset + size, False)
    told = go_on(api, id, told["offset"], data[told["offset"] :], last=True).json()
    assert figures(told) == (len(data), 3_000, 0, 0, 0)


def test_a_client_that_stops_sending_keeps_what_came(make_api: Callable[..., Api]) -> None:
    api = make_api(api={"body_seconds": datetime.timedelta(milliseconds=300)})
    id = begin(api).json()["id"]

    async def stalling() -> AsyncIterator[bytes]:
        yield HEADER + rows(2)
        await asyncio.Event().wait()

    headers = {**CSV, "Upload-Offset": "0", "Authorization": f"Bearer {api.key}"}
    answer = api.portal.call(
        lambda: api._client.request("PATCH", f"/native/v1/imports/{id}", content=stalling(), headers=headers)
    )
    refused(answer, 408, "timeout")
    assert state(api, id)["stored"] == 2


def test_what_was_being_stored_when_the_process_died_goes_on_where_the_store_stands(api: Api) -> None:
    """Between two pieces of a part the store says exactly what is in it: the rest was never there."""
    data = HEADER + rows(importing.CHUNK) + rows(importing.CHUNK, importing.CHUNK)
    id = begin(api).json()["id"]
    row = importing.find(api.engine, spellings.read(id, Kind.IMPORT) or b"")
    assert row is not None
    with pytest.raises(KeyboardInterrupt):
        importing.add(api.engine, row, data, counted=dying)
    told = state(api, id)
    assert (told["stored"], total(api)) == (importing.CHUNK, importing.CHUNK)
    assert told["offset"] == len(HEADER + rows(importing.CHUNK))
    told = go_on(api, id, told["offset"], data[told["offset"] :], last=True).json()
    assert (told["stored"], told["duplicates"], total(api)) == (2 * importing.CHUNK, 0, 2 * importing.CHUNK)


def dying(_receipt: Receipt) -> None:
    raise KeyboardInterrupt


def test_an_abandoned_upload_is_forgotten_after_a_week(make_api: Callable[..., Api]) -> None:
    api = make_api(api={"import_kept": "7 days"})
    id = begin(api, HEADER + rows(3) + b"half a li").json()["id"]
    complete = begin(api, HEADER + rows(1), **LAST).json()["id"]
    api.clock.set(api.clock.now() + 7 * DAY - 1)
    api.engine.tidy()
    assert state(api, id)["stored"] == 3
    api.clock.set(api.clock.now() + 1)
    api.engine.tidy()
    refused(api.get(f"/native/v1/imports/{id}"), 404, "not_found")
    assert state(api, complete)["complete"] is True
    assert total(api) == 3


# ------------------------------------------------------------------------------------------ memory


def test_a_large_body_streams(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than a body of any other route may hold; never more than a block and a line of it is held."""
    held: list[int] = []
    add = importing.add

    async def parts() -> AsyncIterator[bytes]:
        yield HEADER.replace(b"amount", b"note,amount")
        for n in range(60):
            yield rows(150, n * 150).replace(b"Z,", b"Z," + b"x" * 360 + b",")

    def watched(engine: Any, row: Any, data: bytes, **more: Any) -> Any:
        held.append(len(data))
        return add(engine, row, data, **more)

    headers = {**CSV, **LAST, "Authorization": f"Bearer {api.key}"}
    monkeypatch.setattr(importing, "add", watched)
    answer = api.portal.call(
        lambda: api._client.request("POST", "/native/v1/imports", content=parts(), headers=headers)
    )
    told = answer.json()
    assert told["stored"] == 9_000
    assert told["offset"] == sum(held) > 3 * BLOCK
    assert max(held) < BLOCK + 100_000


def test_a_line_too_long_is_refused_alone(api: Api) -> None:
    long = b"bought,ann,2025-12-31T10:00:00Z," + b"x" * (3 * LONGEST_LINE) + b"\n"
    data = HEADER + rows(1) + long + rows(1, 1)
    told = begin(api, data, **LAST).json()
    assert figures(told) == (len(data), 2, 0, 0, 1)
    assert [(one["line"], one["code"]) for one in told["rejections"]] == [(3, "event_too_large")]


# ------------------------------------------------------------------------------------------ requests


@pytest.mark.parametrize("offset", [None, "", "-1", "x", "9" * 19])
def test_a_part_says_where_it_begins(api: Api, offset: str | None) -> None:
    id = begin(api).json()["id"]
    headers = CSV if offset is None else {**CSV, "Upload-Offset": offset}
    refused(api.ask("PATCH", f"/native/v1/imports/{id}", HEADER, headers=headers), 400, "malformed")


@pytest.mark.parametrize("query", ["?historical=yes", "?map=timestamp", "?map=when%3DDate", "?map=event%3D"])
def test_queries_that_are_refused(api: Api, query: str) -> None:
    refused(begin(api, HEADER, query), 400, "malformed")


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded"])
def test_the_content_type_says_what_the_file_holds(api: Api, kind: str) -> None:
    refused(begin(api, HEADER, **{"Content-Type": kind}), 415, "unsupported_type")


def test_an_encoded_body_is_refused(api: Api) -> None:
    refused(begin(api, HEADER, **{"Content-Encoding": "gzip"}), 415, "unsupported_encoding")


@pytest.mark.parametrize("id", ["imp_01HV8ZB8C3V5N6M7P8Q9R0S1T2", "x", "evt_01HV8ZB8C3V5N6M7P8Q9R0S1T2"])
def test_imports_that_are_not_there(api: Api, id: str) -> None:
    refused(api.get(f"/native/v1/imports/{id}"), 404, "not_found")
    refused(go_on(api, id, 0, HEADER), 404, "not_found")


def test_what_became_of_lines_is_counted(api: Api) -> None:
    begin(api, HEADER + rows(3) + b"x\n", **LAST)
    text = api.get("/metrics").text
    assert 'lapse_ingested_total{dialect="native",outcome="accepted"} 3.0' in text
    assert 'lapse_ingested_total{dialect="native",outcome="rejected"} 1.0' in text
