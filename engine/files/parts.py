"""A file of events that comes in parts: what can be read of each, and what has to wait for the next."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Final, NamedTuple

from engine.errors import InputFileError, RefusedError
from engine.files.items import Item, read_items
from engine.files.lines import LONGEST_LINE, NumberedLine, numbered_lines
from engine.files.reading import Kind, Reading
from engine.files.translate import Notes

_GZIP: Final = b"\x1f\x8b"
_BOM: Final = b"\xef\xbb\xbf"


class Entry(NamedTuple):
    """An event of the file, what is wrong with it, or None where none follows; and where in the part it ends."""

    line: int
    item: Item
    end: int


@dataclass(frozen=True)
class Part:
    """Bytes of a file, from the beginning of an entry on.

    ``line`` is the number of its first line. ``header`` is the first line of the file where that is CSV and the line
    is not in this part. A ``last`` part ends with the file, whether or not a line ends there.
    """

    kind: Kind
    reading: Reading
    data: bytes
    line: int = 1
    header: str | None = None
    last: bool = False

    def entries(self) -> Iterator[Entry]:
        """What can be read, in order: all whose end is sure. What stands behind the last of them has to wait.

        Raises InputFileError for a file that cannot be read at all.
        """
        if self.line == 1 and self.data.startswith(_GZIP):
            raise InputFileError("the file is gzipped; unpack it, and send what comes out")
        whole = self.data if self.last else self.data[: self.data.rfind(b"\n") + 1]
        if not whole:
            return
        stream, line = io.BytesIO(whole), self.line
        for number, item in self._read(numbered_lines(stream, self.line)):
            line, end = number, stream.tell()
            if end == len(whole) and self._goes_on(item, end):
                return
            yield Entry(line, item, end)
        yield Entry(line, None, len(whole))

    def header_line(self) -> str:
        """The first line of the file, of a part that begins with it."""
        line, ending, _ = self.data.removeprefix(_BOM).partition(b"\n")
        return (line + ending).decode()

    def _read(self, lines: Iterator[NumberedLine]) -> Iterator[tuple[int, Item]]:
        if self.kind == "csv" and self.header is not None:
            lines = chain([(1, self.header)], lines)
        return read_items(lines, self.kind, self.reading, Notes())

    def _goes_on(self, item: Item, end: int) -> bool:
        """Whether a row that is bad so far may go on in the next part: a quote may be open in it."""
        bad = self.kind == "csv" and isinstance(item, RefusedError)
        return bad and not self.last and end <= LONGEST_LINE


def waiting(data: bytes) -> bytes:
    """What is kept of bytes that have to wait.

    Of a line beyond :data:`~engine.files.lines.LONGEST_LINE`, which is refused when its end comes, only so much that
    it still is too long.
    """
    begun = data.rfind(b"\n") + 1
    return data[: begun + LONGEST_LINE + 1]
