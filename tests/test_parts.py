"""Files that come in parts read as they do in one piece, wherever they are cut."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import InputFileError, RefusedError
from engine.files import EventFile, Reading
from engine.files.lines import LONGEST_LINE
from engine.files.parts import Part, waiting
from engine.receipt import Rejection

Kind = Literal["jsonl", "csv"]
HEADER = b"event,user_id,timestamp,note\n"


def in_parts(kind: Kind, parts: list[bytes]) -> list[tuple[int, Any]]:
    """What is read of a file that comes in these parts, with the numbers of its lines."""
    found: list[tuple[int, Any]] = []
    held, line, header = b"", 1, None
    for place in range(len(parts) + 1):
        last = place == len(parts)
        part = Part(kind, Reading(), held + (b"" if last else parts[place]), line, header, last)
        end = 0
        for entry in part.entries():
            if entry.item is not None:
                found.append((entry.line, entry.item))
            end = entry.end
        if end and header is None and kind == "csv":
            header = part.header_line()
        line += part.data.count(b"\n", 0, end)
        held = waiting(part.data[end:])
    return [(number, told(item)) for number, item in found]


def told(item: Any) -> Any:
    if isinstance(item, RefusedError | Rejection):
        return item.code, item.reason
    return {name: value for name, value in item.items() if name != "message_id"}


def in_one(kind: Kind, data: bytes, path: Path) -> list[tuple[int, Any]]:
    path.write_bytes(data)
    with EventFile(path, kind=kind) as file:
        return [(number, told(item)) for number, item in file]


CELLS = st.one_of(
    st.sampled_from(["", "a", "é", "1.5", "true", '"quoted"', '"two\nlines"', '"a ""b"" c"', '"open', 'b"c', "\ufeff"]),
    st.text('ab,"\n;é', max_size=4),
)
ROWS = st.lists(
    st.one_of(
        st.tuples(CELLS, CELLS).map(lambda cells: f"e,u,{cells[0]},{cells[1]}".encode()),
        st.sampled_from([b"", b"e", b"e,u,t,n,more", b"\xff,u,t,n", b"   "]),
    ),
    max_size=8,
)
LINES = st.lists(
    st.sampled_from([b'{"event":"e"}', b"", b"  ", b"[]", b"{", b"\xff", '{"event":"é"}'.encode(), b'{"a":1}\r']),
    max_size=8,
)
ENDS = st.sampled_from([b"", b"\n"])
CUTS = st.lists(st.integers(0, 400), max_size=6)


def cut(data: bytes, cuts: list[int]) -> list[bytes]:
    places = [0, *sorted(min(one, len(data)) for one in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(places)]


@settings(max_examples=300)
@given(rows=ROWS, end=ENDS, cuts=CUTS, bom=st.booleans())
def test_csv_reads_alike_wherever_it_is_cut(
    tmp_path_factory: pytest.TempPathFactory, rows: list[bytes], end: bytes, cuts: list[int], bom: bool
) -> None:
    data = (b"\xef\xbb\xbf" if bom else b"") + HEADER + b"\n".join(rows) + end
    whole = in_one("csv", data, tmp_path_factory.getbasetemp() / "whole.csv")
    assert in_parts("csv", cut(data, cuts)) == whole


@settings(max_examples=300)
@given(lines=LINES, end=ENDS, cuts=CUTS)
def test_json_lines_read_alike_wherever_they_are_cut(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], end: bytes, cuts: list[int]
) -> None:
    data = b"\n".join(lines) + end
    whole = in_one("jsonl", data, tmp_path_factory.getbasetemp() / "whole.jsonl")
    assert in_parts("jsonl", cut(data, cuts)) == whole


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_line_too_long_waits_in_little_and_costs_itself_alone(kind: Kind, tmp_path: Path) -> None:
    good = b"e,u,t,n\n" if kind == "csv" else b'{"event": "e"}\n'
    data = (HEADER if kind == "csv" else b"") + good + b"x" * (3 * LONGEST_LINE) + b"\n" + good
    parts = cut(data, list(range(0, len(data), LONGEST_LINE // 2)))
    assert in_parts(kind, parts) == in_one(kind, data, tmp_path / "whole")
    assert len(waiting(b"\n" + b"x" * (3 * LONGEST_LINE))) == LONGEST_LINE + 2


def test_an_open_quote_waits_no_longer_than_a_line_may_be() -> None:
    """Each line closes a quote and opens the next, until they are too many; all rows in later parts are read."""
    lines = (b'",u,t,"' + b"n" * 92 + b"\n") * 1_000
    rows = (b"e,u,t," + b"n" * 93 + b"\n") * 1_000
    too_many = LONGEST_LINE // len(lines) + 1
    found = in_parts("csv", [HEADER + b'e,u,t,"open\n', *[lines] * too_many, *[rows] * 10])
    assert [item[0] for _, item in found if isinstance(item, tuple)] == ["bad_row"]
    assert len(found) == 1 + 10 * 1_000


def test_rows_behind_a_field_that_is_too_long_are_read_again() -> None:
    """But for those that stood in the field."""
    rows = (b"e,u,t," + b"n" * 93 + b"\n") * 1_000
    found = in_parts("csv", [HEADER + b'e,u,t,"open\n', *[rows] * (2 * LONGEST_LINE // len(rows)), rows])
    assert [item[0] for _, item in found if isinstance(item, tuple)] == ["bad_row"]
    assert len(found) > 10_000


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x1f\x8b\x08", "gzipped"),
        (b"\xff\xfea\0\n\0", "UTF-16"),
        (b"a,b,c\n", "line 1 must name the columns"),
    ],
)
def test_files_that_cannot_be_read_at_all(data: bytes, reason: str) -> None:
    with pytest.raises(InputFileError, match=reason):
        in_parts("csv", [data])


def test_nothing_at_all_is_no_file_that_cannot_be_read() -> None:
    assert in_parts("csv", [b"", b""]) == in_parts("jsonl", []) == []
