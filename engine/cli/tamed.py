"""What customers sent, fit for a terminal: characters that steer one are written out, such as ``\\x1b``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table

_STEERING: Final = "\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
"""Control characters, line breaks of any kind, what turns the direction of writing, and halves of characters."""

_ANY: Final = re.compile(f"[{_STEERING}]")
_WITHIN_LINES: Final = re.compile(rf"(?![\n\t])[{_STEERING}]")


def tamed(text: str) -> str:
    """``text`` with everything that steers a terminal written out, but for line breaks and tabs."""
    return _WITHIN_LINES.sub(_written_out, text)


def on_one_line(text: str) -> str:
    """The same with line breaks and tabs written out too."""
    return _ANY.sub(_written_out, text)


def tamed_json(text: str) -> str:
    """JSON that says the same and holds nothing that steers a terminal. The line breaks of its layout stay."""
    return _WITHIN_LINES.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _written_out(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")


class TamedConsole(Console):
    """Whatever is printed is tamed; styles and cursor movements are the console's own."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for one in super().render(renderable, options):
            yield one if one.control else one._replace(text=tamed(one.text))


class TamedTable(Table):
    """Cells are tamed before their width is measured."""

    def add_row(self, *cells: RenderableType | None, **named: Any) -> None:
        super().add_row(*(tamed(one) if isinstance(one, str) else one for one in cells), **named)
