"""Lark's tables, run by a loop made for clauses.

Lark builds the tables from the grammar, and explains what they do not take. Its own loop keeps lines, columns and
histories for whoever may ask. Clauses are short and nearly always right, so this one keeps what the builder asks
for, and is done in half the time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache, cached_property
from typing import Any, NamedTuple, Self

from lark import Lark, Token
from lark.grammar import Rule
from lark.lexer import TerminalDef

END = "$END"


class NotTakenError(Exception):
    """The grammar does not take a clause. ``before``: what was made of the words in front of the place."""

    def __init__(self, before: tuple[Any, ...]) -> None:
        super().__init__("the grammar does not take this clause")
        self.before = before


class Reduction(NamedTuple):
    """The last ``size`` values make one: what ``build`` makes of them, an ``origin`` to the state before them."""

    size: int
    origin: str
    build: Callable[[list[Any]], Any]


class State:
    """What can follow what has been read: the words to look for, and by their kinds what to do about them.

    A word in ``reductions`` ends something; where none ends, ``shifts`` tells the state behind it.
    """

    def __init__(self) -> None:
        self.pattern = ""
        self.reductions: dict[str, Reduction] = {}
        self.shifts: dict[str, State] = {}

    @cached_property
    def match(self) -> Callable[[str, int], re.Match[str] | None]:
        """Finds the next word; compiled when it is first asked for, since most states never are."""
        return _compiled(self.pattern).match


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


class Word(Token):
    """A token with its place as offsets, without line and column."""

    def __new__(cls, kind: str, text: str, start: int, end: int) -> Self:
        word = str.__new__(cls, text)
        word.type, word.value, word.start_pos, word.end_pos = kind, text, start, end
        return word


class Automaton:
    """Reads clauses by the tables and the builder of a Lark parser (LALR, contextual lexer)."""

    def __init__(self, lark: Lark) -> None:
        tables, lexers = lark.parser.parser.parser, lark.parser.lexer.lexers
        self._states = {number: State() for number in tables.parse_table.states}
        for number, actions in tables.parse_table.states.items():
            state, lexer = self._states[number], lexers[number]
            state.pattern = _pattern(lexer.terminals, lexer.ignore_types)
            for kind, (_, target) in actions.items():
                if isinstance(target, Rule):
                    build = tables.callbacks[target]
                    state.reductions[str(kind)] = Reduction(len(target.expansion), str(target.origin.name), build)
                else:
                    state.shifts[str(kind)] = self._states[target]
        starts, ends = tables.parse_table.start_states, tables.parse_table.end_states
        self._ends = {start: (self._states[starts[start]], self._states[ends[start]]) for start in starts}

    def read(self, start: str, body: str, base: int) -> Any:
        """What ``body`` means by the start rule ``start``, its places counted from ``base``.

        Raises NotTakenError when the grammar does not take it, and what the builder raises.
        """
        state, final = self._ends[start]
        states, values = [state], list[Any]()
        at = 0
        while True:
            found = state.match(body, at)
            if found:
                kind = found.lastgroup or END
                begin, at = found.span(kind)
                word = Word(kind, body[begin:at], base + begin, base + at)
            elif body[at:].strip():
                raise NotTakenError(tuple(values))
            else:
                kind = END
            while kind in state.reductions:
                size, origin, build = state.reductions[kind]
                if size == 1:  # most are; the rest of the way would do, and takes longer
                    values[-1] = build(values[-1:])
                    del states[-1]
                else:
                    left = len(values) - size
                    values[left:] = [build(values[left:])]
                    del states[left + 1 :]
                state = states[-1].shifts[origin]
                if state is final and kind is END:
                    return values[0]
                states.append(state)
            if kind not in state.shifts:
                raise NotTakenError(tuple(values))
            state = state.shifts[kind]
            states.append(state)
            values.append(word)


def _pattern(terminals: Iterable[TerminalDef], ignored: Iterable[str]) -> str:
    """Blanks, and then the first of the terminals that fits, as a group of its name; they come in Lark's order."""
    blanks = "|".join(one.pattern.to_regexp() for one in terminals if one.name in ignored)
    words = "|".join(f"(?P<{one.name}>{one.pattern.to_regexp()})" for one in terminals if one.name not in ignored)
    return f"(?:{blanks})*+(?:{words})" if words else r"(?!)"
