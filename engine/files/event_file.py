"""One file of events: opened, unpacked, recognised, read."""

from __future__ import annotations

import gzip
import io
import os
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, Self, cast

from engine.errors import InputFileError, RefusedError
from engine.files.items import read_items
from engine.files.line_ids import LineIds
from engine.files.lines import DAMAGE, numbered_lines
from engine.files.reading import Kind, Reading
from engine.files.translate import Notes
from engine.receipt import Rejection

_KINDS: Final[Mapping[str, Kind]] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".tsv": "csv",
}
_GZIP: Final = b"\x1f\x8b"

STDIN: Final = "-"
"""The path that means standard input."""


class EventFile:
    """A file of events, JSON lines or CSV, perhaps gzipped. Iterate over it once; it is a context manager.

    Yields ``(line, item)``: the line's number from 1, and a dict to be validated with that number as its index
    and with ``require_timestamp``, or the :class:`~engine.model.Rejection` of the line. Items without a
    ``message_id`` get one from :class:`LineIds`.

    The path ``-`` is standard input. ``reading`` says how its records become events; without it they name the fields
    themselves. ``kind`` is told by the name's ending, else by the first character. Raises
    :class:`~engine.errors.InputFileError`.
    """

    def __init__(self, path: str | os.PathLike[str], reading: Reading | None = None, kind: Kind | None = None) -> None:
        self.path = Path(path)
        self.notes = Notes()
        """What was done to the lines read so far that the file's owner may not expect."""
        self._reading = reading or Reading()
        self._lines: Iterator[tuple[int, dict[str, Any] | Rejection]] | None = None
        self._first: tuple[tuple[int, dict[str, Any] | Rejection], ...] = ()
        try:
            self._raw = _open_stdin() if str(path) == STDIN else self.path.open("rb")
        except OSError as error:
            raise InputFileError(f"{self.path} cannot be read: {error.strerror}") from None
        self.total = os.fstat(self._raw.fileno()).st_size
        """Bytes of the file as it lies on disk, gzipped or not; 0 for a pipe."""
        packed = self.path.suffix.lower() == ".gz" or self._raw.peek(2).startswith(_GZIP)
        self._stream = cast(BinaryIO, gzip.GzipFile(fileobj=self._raw)) if packed else cast(BinaryIO, self._raw)
        self.kind: Kind = kind or self._recognise()

    @property
    def done(self) -> int:
        """Bytes of the file read so far, of :attr:`total`."""
        return self._raw.tell() if self._raw.seekable() else 0

    def __iter__(self) -> Iterator[tuple[int, dict[str, Any] | Rejection]]:
        first, self._first = self._first, ()
        self._lines = self._lines or self._read()
        yield from first
        yield from self._lines

    def check(self) -> None:
        """Read as far as the first event, to find out before anything is done with it whether the file can be read.

        Raises :class:`~engine.errors.InputFileError`.
        """
        self._lines = self._lines or self._read()
        self._first = (*self._first, *islice(self._lines, 1))

    def _read(self) -> Iterator[tuple[int, dict[str, Any] | Rejection]]:
        ids = LineIds()
        try:
            for number, item in read_items(numbered_lines(self._stream), self.kind, self._reading, self.notes):
                if isinstance(item, RefusedError):
                    yield number, Rejection(number, item.code, item.reason, item.field)
                elif item is not None:
                    ids.give(item)
                    yield number, item
        except InputFileError as error:
            raise InputFileError(f"{self.path}: {error}") from None

    def close(self) -> None:
        """Closes the file."""
        self._stream.close()
        self._raw.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _recognise(self) -> Kind:
        name = self.path.with_suffix("") if self.path.suffix.lower() == ".gz" else self.path
        kind = _KINDS.get(name.suffix.lower())
        if kind is not None:
            return kind
        try:
            start = cast(Any, self._stream).peek(64).lstrip(b"\xef\xbb\xbf \t\r\n")
        except DAMAGE:
            return "jsonl"
        return "jsonl" if start.startswith((b"{", b"[")) else "csv"


def _open_stdin() -> io.BufferedReader:
    """Standard input as bytes; closing this leaves it open."""
    return io.BufferedReader(io.FileIO(0, closefd=False))
