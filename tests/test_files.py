"""Files of events: what is read, what a bad line costs, and that a file run again is the same file."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import random
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InputFileError
from engine.files import EventFile, Kind, LineIds, Reading
from engine.files.lines import LONGEST_LINE
from engine.model import CODES, Rejection, ValidEvent, validate
from tests.corpus.odd_inputs import NOW, ODD, ODD_JSON, Odd, event, identify

Write = Callable[..., Path]
Read = list[tuple[int, Any]]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(name: str, *lines: str | bytes, end: bytes = b"\n") -> Path:
        data = b"".join((line if isinstance(line, bytes) else line.encode()) + end for line in lines)
        path = tmp_path / name
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return path

    return write


def read(path: Path, mapping: dict[str, str] | None = None, kind: Kind | None = None, ids: bool = False) -> Read:
    """What a file holds, without the message ids it gives unless asked for."""
    with EventFile(path, Reading(map=mapping or {}), kind) as file:
        found = list(file)
    if not ids:
        for _, item in found:
            if isinstance(item, dict) and GIVEN_ID(item.get("message_id", "")):
                del item["message_id"]
    return found


def codes(found: Read) -> list[tuple[int, str]]:
    return [(line, item.code if isinstance(item, Rejection) else "taken") for line, item in found]


def noise(count: int) -> list[str]:
    """Text that hardly packs, the same in every run."""
    source = random.Random(1)
    return [source.randbytes(8).hex() for _ in range(count)]


GIVEN_ID = re.compile(r"[0-9a-f]{32}-[0-9]+").fullmatch
LINE = json.dumps(event(properties={"plan": "free"}))
HEADER = "event,user_id,anonymous_id,timestamp,message_id"
WHEN = "2026-03-01T11:00:00Z"


# JSON lines


@pytest.mark.parametrize("name", ["a.jsonl", "a.ndjson", "a.json", "a.jsonl.gz", "a.log", "a.log.gz", "a.JSONL.GZ"])
def test_json_lines_are_read_whatever_the_file_is_called(write: Write, name: str) -> None:
    path = write(name, LINE, "", "  ", json.dumps(identify(traits={"a": 1})))
    if name.endswith(".GZ"):
        path.write_bytes(gzip.compress(path.read_bytes()))
    assert read(path) == [(1, json.loads(LINE)), (4, identify(traits={"a": 1}))]


def test_other_line_ends_a_mark_and_no_last_line_end_are_fine(write: Write) -> None:
    path = write("a.jsonl", b"\xef\xbb\xbf" + LINE.encode(), LINE, end=b"\r\n")
    path.write_bytes(path.read_bytes() + LINE.encode())
    assert [line for line, item in read(path) if item == json.loads(LINE)] == [1, 2, 3]


def test_a_bad_line_costs_itself_only(write: Write) -> None:
    path = write("a.jsonl", LINE, '{"event": ', LINE, b'{"event": "\xff"}', LINE, "[1]", '"text"', "7", LINE)
    found = read(path)
    assert codes(found) == [
        (1, "taken"),
        (2, "invalid_json"),
        (3, "taken"),
        (4, "not_utf8"),
        (5, "taken"),
        (6, "not_object"),
        (7, "not_object"),
        (8, "not_object"),
        (9, "taken"),
    ]
    rejections = {line: item for line, item in found if isinstance(item, Rejection)}
    assert [rejection.index for rejection in rejections.values()] == list(rejections)
    assert "byte 12 of the line is not UTF-8" in rejections[4].reason
    assert "unpack the list" in rejections[6].reason


def test_a_line_too_long_is_skipped_without_being_kept(write: Write) -> None:
    path = write("a.jsonl", LINE, '{"x": "' + "y" * 3 * LONGEST_LINE + '"}', LINE)
    assert codes(read(path)) == [(1, "taken"), (2, "event_too_large"), (3, "taken")]
    path = write("b.jsonl", LINE, "y" * (LONGEST_LINE + 1))
    assert codes(read(path)) == [(1, "taken"), (2, "event_too_large")]


@pytest.mark.parametrize("odd", [odd for odd in ODD if odd.name != "100,000 levels"], ids=lambda odd: odd.name)
def test_odd_input_has_the_same_verdict_in_a_file(write: Write, odd: Odd) -> None:
    ((line, item),) = read(write("a.jsonl", json.dumps(odd.item)), ids=True)
    verdict = item if isinstance(item, Rejection) else validate(item, line, NOW, require_timestamp=True)
    assert isinstance(verdict, Rejection)
    assert (verdict.index, verdict.code) == (1, odd.code)


@pytest.mark.parametrize(
    "odd", [odd for odd in ODD_JSON if odd.item and "\n" not in odd.item], ids=lambda odd: odd.name
)
def test_odd_json_has_the_same_verdict_in_a_file(write: Write, odd: Odd) -> None:
    ((line, item),) = read(write("a.jsonl", odd.item), ids=True)
    verdict = item if isinstance(item, Rejection) else validate(item, line, NOW)
    assert isinstance(verdict, Rejection)
    assert verdict.code == odd.code


def test_mapped_keys_become_fields(write: Write) -> None:
    path = write("a.jsonl", json.dumps({"ts": WHEN, "who": "u", "event": "e"}), json.dumps({"event": "e", "ts": WHEN}))
    mapping = {"timestamp": "ts", "user_id": "who"}
    assert read(path, mapping) == [
        (1, {"event": "e", "timestamp": WHEN, "user_id": "u"}),
        (2, {"event": "e", "timestamp": WHEN}),
    ]


def test_a_field_that_is_there_already_is_not_overwritten(write: Write) -> None:
    ((_, item),) = read(write("a.jsonl", json.dumps(event(ts=WHEN))), {"timestamp": "ts"})
    verdict = validate(item, 1, NOW)
    assert isinstance(verdict, Rejection)
    assert "'ts' is not a field" in verdict.reason


def test_empty_files_hold_nothing(write: Write) -> None:
    assert read(write("a.jsonl")) == []
    assert read(write("a.jsonl.gz")) == []


# Message ids of lines


def test_equal_lines_are_different_events_and_a_second_run_the_same_ones(write: Write) -> None:
    spaced = json.dumps(dict(reversed(json.loads(LINE).items())), indent=None, separators=(" , ", " : "))
    path = write("a.jsonl", LINE, spaced, json.dumps(event(message_id="m")), LINE, json.dumps(event(message_id="")))
    first, second = read(path, ids=True), read(path, ids=True)
    assert first == second
    ids = [item["message_id"] for _, item in first]
    assert ids[2] == "m"
    assert len(set(ids)) == 5
    digest, number = ids[0].split("-")
    assert (len(digest), number) == (32, "1")
    assert ids[1] == f"{digest}-2"
    assert ids[3] == f"{digest}-3"
    assert ids[4].endswith("-1")


def test_the_same_event_has_the_same_id_in_any_file(write: Write) -> None:
    plain, packed = write("a.jsonl", LINE), write("b.jsonl.gz", "", LINE)
    table = write("c.csv", "plan,user_id,event,timestamp", f"free,u-1,signed_up,{WHEN}")
    ids = {read(path, ids=True)[0][1]["message_id"] for path in (plain, packed, table)}
    assert len(ids) == 1


def test_line_ids_stay_what_they_are() -> None:
    item = event(properties={"x": 1e16, "y": "é"})
    LineIds().give(item)
    assert item["message_id"] == "794c564ed9e22cf036f444187df99a24-1"


@pytest.mark.parametrize("value", [10**30, "\ud800", object()])
def test_items_no_validator_takes_are_left_alone(value: object) -> None:
    item = event(properties={"x": value})
    LineIds().give(item)
    assert "message_id" not in item


# CSV


def test_csv_is_read(write: Write) -> None:
    path = write(
        "a.csv",
        f"{HEADER},plan,amount,paid,note",
        f"signed_up,u-1,,{WHEN},m-1,free,9.5,true,",
        f'"Cart Updated",,a-1,{WHEN},,"pro, annual",-3,false,"two',
        'lines ""quoted"""',
        "",
        f"e,007,,{WHEN},,,,,",
    )
    assert read(path) == [
        (
            2,
            {
                "event": "signed_up",
                "user_id": "u-1",
                "timestamp": WHEN,
                "message_id": "m-1",
                "properties": {"plan": "free", "amount": 9.5, "paid": True},
            },
        ),
        (
            3,
            {
                "event": "Cart Updated",
                "anonymous_id": "a-1",
                "timestamp": WHEN,
                "properties": {"plan": "pro, annual", "amount": -3, "paid": False, "note": 'two\nlines "quoted"'},
            },
        ),
        (6, {"event": "e", "user_id": "007", "timestamp": WHEN}),
    ]


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("0", 0),
        ("-1", -1),
        ("1.0", 1.0),
        ("0.5", 0.5),
        ("-0.5", -0.5),
        ("59.90", 59.9),
        ("123456789012345", 123456789012345),
        ("1234567890123456", "1234567890123456"),
        ("12345678901234.5", 12345678901234.5),
        ("1234567890.1767600000", "1234567890.1767600000"),
        ("9223372036854775807", "9223372036854775807"),
        ("9" * 9_999, "9" * 9_999),
        ("1e3", "1e3"),
        ("1e400", "1e400"),
        ("true", True),
        ("false", False),
        ("007", "007"),
        ("+1", "+1"),
        ("1.", "1."),
        (".5", ".5"),
        (" 1", " 1"),
        ("1 ", "1 "),
        ("1,5", "1,5"),
        ("1_000", "1_000"),
        ("0x10", "0x10"),
        ("True", "True"),
        ("null", "null"),
        ("NaN", "NaN"),
        ("Infinity", "Infinity"),
        ('"x"', '"x"'),
        ("[1]", "[1]"),
        ("2026-03-01", "2026-03-01"),
        ("１", "１"),
    ],
)
def test_only_a_cell_that_can_be_nothing_else_is_a_number_or_a_boolean(write: Write, cell: str, value: object) -> None:
    quoted = '"' + cell.replace('"', '""') + '"'
    ((_, item),) = read(write("a.csv", f"{HEADER},x", f"e,1,true,{WHEN},2,{quoted}"))
    assert item["properties"]["x"] == value
    assert type(item["properties"]["x"]) is type(value)
    assert (item["user_id"], item["anonymous_id"], item["message_id"]) == ("1", "true", "2")


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("1e3", 1000.0),
        ("007", 7),
        ("+1", 1),
        (" 12 ", 12),
        ("9223372036854775807", 2**63 - 1),
        ("9223372036854775808", 9.223372036854775808e18),
        ("1e400", "1e400"),
        ("twelve", "twelve"),
        ("12,50", "12,50"),
    ],
)
def test_a_column_said_to_hold_numbers_has_every_number(write: Write, cell: str, value: object) -> None:
    path = write("a.csv", f"{HEADER},x", f'e,u,,{WHEN},,"{cell}"')
    with EventFile(path, Reading(number=("x",))) as file:
        ((_, item),) = file
    assert isinstance(item, dict)
    assert item["properties"]["x"] == value
    assert type(item["properties"]["x"]) is type(value)


def test_a_column_said_to_be_text_stays_text(write: Write) -> None:
    with EventFile(write("a.csv", f"{HEADER},zip,n", f"e,u,,{WHEN},,8001,8001"), Reading(text=("zip",))) as file:
        ((_, item),) = file
    assert isinstance(item, dict)
    assert item["properties"] == {"zip": "8001", "n": 8001}


def test_decimal_commas_are_text_and_counted_unless_said_to_be_numbers(write: Write) -> None:
    path = write("a.csv", f"{HEADER};price".replace(",", ";"), f"e;u;;{WHEN};;12,50", f"e;u;;{WHEN};;1.234,50")
    with EventFile(path) as file:
        values = [item["properties"]["price"] for _, item in file if isinstance(item, dict)]
        assert (values, file.notes.commas) == (["12,50", "1.234,50"], {"price": 1})
    with EventFile(path, Reading(decimal_comma=True)) as file:
        assert [item["properties"]["price"] for _, item in file if isinstance(item, dict)] == [12.5, "1.234,50"]
        assert file.notes.commas == {}


def test_ids_and_names_are_trimmed_and_counted(write: Write) -> None:
    path = write("a.csv", f"{HEADER},note", f" paid ,u1,, {WHEN},m1 , kept ", f"paid, u1,,{WHEN},m2,x")
    with EventFile(path) as file:
        items = [item for _, item in file if isinstance(item, dict)]
        assert [(one["event"], one["user_id"], one["message_id"]) for one in items] == [
            ("paid", "u1", "m1"),
            ("paid", "u1", "m2"),
        ]
        assert (items[0]["timestamp"], items[0]["properties"]) == (WHEN, {"note": " kept "})
        assert file.notes.trimmed == {"event": 1, "message_id": 1, "user_id": 1}


def test_a_properties_column_holds_json_and_joins_the_others(write: Write) -> None:
    rows = ['"{""plan"": ""free"", ""items"": [1]}",7', ",7", '"{""x"": 1}",', "{oops,7", "[1],7", "{},7"]
    path = write("a.csv", f"{HEADER},properties,x", *(f"e,u,,{WHEN},,{row}" for row in rows), 'e,u,,,,"{""x"":1}",2')
    found = read(path)
    assert [item["properties"] for _, item in found[:3]] == [{"plan": "free", "items": [1], "x": 7}, {"x": 7}, {"x": 1}]
    assert codes(found)[3:] == [(5, "invalid_json"), (6, "taken"), (7, "taken"), (8, "bad_row")]
    assert found[3][1].reason.startswith("properties: not valid JSON")
    verdict = validate(found[4][1], 6, NOW)
    assert isinstance(verdict, Rejection)
    assert verdict.code == "properties_not_object"
    assert "'x' stands both beside the properties and in them" in found[6][1].reason


def test_columns_are_mapped(write: Write) -> None:
    path = write("a.csv", "Date,What,Who,plan name", f"{WHEN},e,u,free")
    mapping = {"timestamp": "Date", "event": "What", "user_id": "Who", "properties.plan": "plan name"}
    expected = {"event": "e", "user_id": "u", "timestamp": WHEN, "properties": {"plan": "free"}}
    assert read(path, mapping) == [(2, expected)]


def test_one_column_may_be_two_fields(write: Write) -> None:
    path = write("a.csv", "email,event,timestamp", f"a@b.c,e,{WHEN}")
    ((_, item),) = read(path, {"user_id": "email", "properties.email": "email"})
    assert (item["user_id"], item["properties"]) == ("a@b.c", {"email": "a@b.c"})


@pytest.mark.parametrize("separator", [";", "\t"])
def test_semicolons_and_tabs_separate_too(write: Write, separator: str) -> None:
    lines = [separator.join(cells) for cells in (["event", "user_id", "timestamp", "x"], ["e", "u", WHEN, "1,5"])]
    ((_, item),) = read(write("a.csv", *lines))
    assert item == {"event": "e", "user_id": "u", "timestamp": WHEN, "properties": {"x": "1,5"}}


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.tsv", "a.txt", "a.dat.gz"])
def test_csv_is_recognised(write: Write, name: str) -> None:
    with EventFile(write(name, b"\xef\xbb\xbf" + HEADER.encode(), f"e,u,,{WHEN},")) as file:
        assert file.kind == "csv"
        assert len(list(file)) == 1


def test_a_bad_row_costs_itself_only(write: Write) -> None:
    row = f"e,u,,{WHEN},m"
    path = write(
        "a.csv", HEADER, row, f"e,u,,{WHEN}", row + ",1", b"\xffe,u,,,", row, f'e,"u"x,,{WHEN},', row,
        '"e', b"\xff", '",u,,,', row,
    )  # fmt: skip
    found = read(path)
    assert codes(found) == [
        (2, "taken"),
        (3, "bad_row"),
        (4, "bad_row"),
        (5, "not_utf8"),
        (6, "taken"),
        (7, "bad_row"),
        (8, "taken"),
        (9, "not_utf8"),
        (12, "taken"),
    ]
    assert "the row has 4 cells, the header 5" in found[1][1].reason


def test_a_quote_never_closed_names_its_lines(write: Write) -> None:
    found = read(write("a.csv", HEADER, f'e,"u,,{WHEN},', f"e,u,,{WHEN},", f"e,u,,{WHEN},"))
    assert codes(found) == [(2, "bad_row")]
    assert "lines 2 to 4 are not valid CSV" in found[0][1].reason


def test_a_quote_never_closed_does_not_swallow_a_long_file(write: Write) -> None:
    row = f"e,u,,{WHEN},m"
    found = read(write("a.csv", HEADER, f'e,"u,,{WHEN},', *[row] * 10_000))
    assert found[0][1].code == "bad_row"
    assert len(found) > 5_000
    assert all(not isinstance(item, Rejection) for _, item in found[1:])


@pytest.mark.parametrize(
    ("header", "mapping", "words"),
    [
        (
            "",
            {},
            "line 1 must name the columns, and has none for event, timestamp, user_id, anonymous_id or contact_id",
        ),
        (f"signed_up,u,,{WHEN},", {}, "has none for event, timestamp"),
        ("event,Date,user_id", {}, "none for timestamp; it has: event, Date, user_id"),
        ("event,Date,user_id", {}, "--map timestamp=Date"),
        ("event,timestamp,email", {}, "none for user_id, anonymous_id or contact_id"),
        (HEADER, {"timestamp": "Date"}, "no column 'Date' for timestamp; the columns are event, "),
        (f"{HEADER},Dates", {"timestamp": "Date"}, "did you mean 'Dates'?"),
        (f"{HEADER},Date", {"timestamp": "Date"}, "two columns are 'timestamp'"),
        (f"{HEADER},x,x", {}, "two columns are 'x'"),
        (f",{HEADER}", {}, "column 1 has no name"),
        (f'{HEADER},"x', {}, "the header is not valid CSV"),
    ],
)
def test_a_header_that_does_not_do_is_explained(write: Write, header: str, mapping: dict[str, str], words: str) -> None:
    path = write("a.csv", header)
    with pytest.raises(InputFileError) as caught:
        read(path, mapping)
    assert words in str(caught.value)
    assert str(caught.value).startswith(f"{path}: line 1")


def test_a_header_in_another_encoding_is_explained(write: Write) -> None:
    with pytest.raises(InputFileError, match="line 1: byte 1 of the line is not UTF-8"):
        read(write("a.csv", b"\xe9v\xe9nement,user_id"))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_utf_16_and_32_are_recognised(tmp_path: Path, name: str, encoding: str) -> None:
    path = tmp_path / name
    mark = "" if encoding in ("utf-16", "utf-32") else "\ufeff"
    path.write_bytes((mark + HEADER).encode(encoding))
    with pytest.raises(InputFileError, match="save it as UTF-8"):
        read(path)


# Files


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="cannot be read: No such file"):
        EventFile(tmp_path / "none.jsonl")
    with pytest.raises(InputFileError, match="cannot be read: Is a directory"):
        EventFile(tmp_path)


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.log"])
def test_a_gzip_file_cut_short_gives_its_whole_lines(tmp_path: Path, name: str) -> None:
    lines = [json.dumps(event(user_id=one)) for one in noise(5_000)]
    packed = gzip.compress("\n".join(lines).encode())
    path = tmp_path / name
    path.write_bytes(packed[: len(packed) // 2])
    found = read(path)
    assert 2_000 < len(found) < 3_000
    assert [item for _, item in found[:-1]] == [json.loads(line) for line in lines[: len(found) - 1]]
    last = found[-1][1]
    assert (last.index, last.code) == (len(found), "broken_file")
    assert "ends too early" in last.reason


@pytest.mark.parametrize("damage", ["middle", "checksum", "tail", "not gzip"])
def test_a_damaged_gzip_file_says_so_where_it_breaks(write: Write, damage: str) -> None:
    path = write("a.jsonl.gz", *[json.dumps(event(user_id=one)) for one in noise(5_000)])
    data = bytearray(path.read_bytes())
    match damage:
        case "middle":
            data[len(data) // 2 : len(data) // 2 + 64] = b"\xff" * 64
        case "checksum":
            data[-8] ^= 1
        case "tail":
            data += b"rubbish"
        case _:
            data = bytearray(LINE.encode())
    path.write_bytes(data)
    found = read(path)
    lines = [line for line, _ in found]  # what is damaged may still unpack, as empty lines among others
    assert lines == sorted(set(lines))
    assert [line for line, code in codes(found) if code == "broken_file"] == lines[-1:]
    if damage in ("checksum", "tail"):
        assert len(found) == 5_001


def test_a_gzip_file_that_is_none_and_whose_name_says_nothing_more(write: Write) -> None:
    path = write("a.gz", LINE)
    path.write_bytes(LINE.encode())
    assert codes(read(path)) == [(1, "broken_file")]


def test_a_damaged_csv_file_keeps_its_good_rows(write: Write) -> None:
    path = write("a.csv.gz", HEADER, *[f"e,{one},,{WHEN}," for one in noise(5_000)])
    path.write_bytes(path.read_bytes()[:-4_000])
    found = read(path)
    assert len(found) > 2_000
    assert [code for _, code in codes(found)] == ["taken"] * (len(found) - 1) + ["broken_file"]
    assert [line for line, _ in found] == list(range(2, len(found) + 2))


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_progress_goes_from_nothing_to_all(write: Write, name: str) -> None:
    texts = [
        "".join(some) for some in zip(*[iter(noise(200_000))] * 25, strict=True)
    ]  # some readers take 128 KB at once
    path = write(name, *[json.dumps(event(properties={"text": one})) for one in texts])
    with EventFile(path) as file:
        assert file.total == path.stat().st_size
        seen = [file.done for _ in file]
        assert file.done == file.total
    assert seen == sorted(seen)
    assert len({10 * done // file.total for done in seen}) >= 10


def test_a_pipe_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_text, args=(LINE + "\n",))
    writer.start()
    with EventFile(path) as file:
        assert (file.total, file.done) == (0, 0)
        assert len(list(file)) == 1
    writer.join()


def test_a_file_is_read_as_a_stream(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    os.mkfifo(path)

    def feed() -> None:
        with path.open("w") as pipe:
            pipe.write(LINE + "\n")
            pipe.flush()
            first.wait(60)
            pipe.write(LINE + "\n")

    first = threading.Event()
    writer = threading.Thread(target=feed)
    writer.start()
    with EventFile(path) as file:
        lines = iter(file)
        assert next(lines)[0] == 1
        first.set()
        assert next(lines)[0] == 2
    writer.join()


def test_the_kind_may_be_told(write: Write) -> None:
    assert codes(read(write("a.csv", LINE), kind="jsonl")) == [(1, "taken")]


# Round trips

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
CELL = TEXT.filter(lambda text: "\r" not in text) | st.integers(-(2**63), 2**63 - 1) | st.booleans()
EVENTS = st.lists(
    st.fixed_dictionaries(
        {"event": TEXT.filter(str.strip), "user_id": TEXT.filter(bool), "timestamp": st.just(WHEN)},
        optional={
            "properties": st.dictionaries(st.sampled_from(["x", "y", "z"]), CELL.filter(lambda c: c != ""), min_size=1)
        },
    ),
    max_size=5,
)


@given(EVENTS)
def test_json_lines_round_trip(tmp_path_factory: pytest.TempPathFactory, events: list[dict[str, Any]]) -> None:
    path = tmp_path_factory.mktemp("files") / "a.jsonl"
    path.write_text("".join(json.dumps(item, ensure_ascii=False) + "\n" for item in events), encoding="utf-8")
    found = read(path, ids=True)
    assert len({item.pop("message_id") for _, item in found}) == len(events)
    assert [item for _, item in found] == events


@given(EVENTS)
def test_csv_round_trips(tmp_path_factory: pytest.TempPathFactory, events: list[dict[str, Any]]) -> None:
    events = [item for item in events if "\r" not in item["event"] + item["user_id"]]
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(["event", "user_id", "timestamp", "x", "y", "z"])
    for item in events:
        cells = [item.get("properties", {}).get(key, "") for key in "xyz"]
        shown = [json.dumps(cell) if isinstance(cell, int) else cell for cell in cells]
        writer.writerow([item["event"], item["user_id"], item["timestamp"], *shown])
    path = tmp_path_factory.mktemp("files") / "a.csv"
    path.write_text(text.getvalue(), encoding="utf-8", newline="")
    for (_, item), expected in zip(read(path, ids=True), events, strict=True):
        del item["message_id"]
        read_back = item.get("properties", {})
        for key, cell in expected.get("properties", {}).items():
            assert read_back[key] == cell or str(read_back[key]) == str(cell) or read_back[key] == json.loads(cell)
        trimmed = {key: value.strip() for key, value in expected.items() if isinstance(value, str)}
        assert {**item, "properties": None} == {**trimmed, "properties": None}


@given(st.binary(max_size=200), st.sampled_from(["a.csv", "a.jsonl", "a.txt", "a.gz", "a.csv.gz"]), st.booleans())
def test_no_bytes_make_reading_raise(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, name: str, head: bool
) -> None:
    path = tmp_path_factory.mktemp("files") / name
    path.write_bytes((HEADER.encode() + b"\n" if head else b"") + data)
    refused = None
    try:
        for line, item in read(path, ids=True):
            assert line > 0
            assert isinstance(item, dict) or item.code in CODES
    except InputFileError as error:
        refused = str(error)
    assert refused is None or refused.startswith(str(path))


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv"])
def test_what_is_read_is_valid(write: Write, name: str) -> None:
    lines = [LINE] if name == "a.jsonl" else [f"{HEADER},plan", f"signed_up,u-1,,{WHEN},,free"]
    ((line, item),) = read(write(name, *lines), ids=True)
    verdict = validate(item, line, NOW, require_timestamp=True)
    assert isinstance(verdict, ValidEvent)
    assert verdict.properties == {"plan": "free"}
