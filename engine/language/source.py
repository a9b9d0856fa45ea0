"""A text with a name, and where in it an offset lies.

Nodes and diagnostics carry plain offsets; lines and columns are worked out only when somebody looks.
"""

from __future__ import annotations

import codecs
import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

_LINE_END = re.compile(r"\r\n|\n|\r")


def decoded(data: bytes) -> str:
    """The text of a file, without a byte order mark. Each byte that is no UTF-8 becomes a lone surrogate.

    Nothing that is UTF-8 decodes to one, so that whoever reads the text finds what is wrong and where.
    """
    return data.removeprefix(codecs.BOM_UTF8).decode("utf-8", "surrogateescape")


class Place(NamedTuple):
    """A line and a column, both counted from 1, the column in characters."""

    line: int
    column: int


@dataclass(frozen=True)
class Source:
    """A file of rules as it was read."""

    name: str
    text: str

    @cached_property
    def _starts(self) -> tuple[int, ...]:
        return (0, *(end.end() for end in _LINE_END.finditer(self.text)))

    def place(self, offset: int) -> Place:
        """Where ``offset`` lies; an offset past the end lies behind the last character."""
        offset = max(0, min(offset, len(self.text)))
        line = bisect_right(self._starts, offset)
        return Place(line, offset - self._starts[line - 1] + 1)

    def line(self, number: int) -> str:
        """The text of a line, without its end."""
        start = self._starts[number - 1]
        end = self._starts[number] if number < len(self._starts) else len(self.text)
        return self.text[start:end].rstrip("\r\n")
