"""What a cell of CSV is: a number or a boolean only where no other reading of it is possible, else its text."""

from __future__ import annotations

import re
from typing import Any, Final

from engine.files.reading import Reading
from engine.strict_json import INTEGER_MAX, INTEGER_MIN

DIGITS: Final = 15
"""Significant digits that a number of JSON keeps for sure; a longer cell, such as a card's, stays text."""

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?", re.ASCII).fullmatch
_WITH_COMMA = re.compile(r"-?(?:0|[1-9][0-9]*),[0-9]+", re.ASCII).fullmatch
_ANY_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]{1,3})?", re.ASCII).fullmatch
_BOOLEANS: Final = {"true": True, "false": False}


class Cells:
    """Reads the cells of one file. Counts in ``commas``, by column, those such as ``12,50`` that stay text."""

    def __init__(self, reading: Reading, commas: dict[str, int]) -> None:
        self._text = frozenset(reading.text)
        self._number = frozenset(reading.number)
        self._decimal_comma = reading.decimal_comma
        self._commas = commas

    def value(self, column: str, cell: str) -> Any:
        """Return what a cell holds that is not empty."""
        if column in self._text:
            return cell
        if column in self._number:
            return self._forced(cell.strip())
        if _NUMBER(cell):
            return _number(cell)
        if _WITH_COMMA(cell):
            if self._decimal_comma:
                return _number(cell.replace(",", "."))
            self._commas[column] = self._commas.get(column, 0) + 1
        return _BOOLEANS.get(cell, cell)

    def _forced(self, cell: str) -> Any:
        """Return the number of a cell that is said to hold one; what is not a finite number stays text."""
        written = cell.replace(",", ".") if self._decimal_comma else cell
        if not _ANY_NUMBER(written):
            return cell
        if written.lstrip("+-").isdecimal() and len(written) <= len(str(INTEGER_MIN)):
            whole = int(written)
            if INTEGER_MIN <= whole <= INTEGER_MAX:
                return whole
        value = float(written)
        return value if abs(value) != float("inf") else cell


def _number(text: str) -> int | float | str:
    digits = text.lstrip("-").replace(".", "").lstrip("0")
    if len(digits) > DIGITS:
        return text
    return float(text) if "." in text else int(text)
