"""(f) Loading of rules, as a ratio to Lark's bare parse of their clauses. Run: python -m benchmarks.loading [RULES]"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable

from lark import Lark

from engine.language import Reading, read
from engine.language.clauses import Splitter, finished
from engine.language.grammar import STARTS, grammar_text
from engine.language.limits import Limits
from engine.language.program import Program
from engine.language.source import Source
from engine.language.words import CLAUSES

ROUNDS = 5
"""Each reads rules that no other has read; the best counts."""

LIMITS = Limits(file_size=1_000_000_000, rules=1_000_000)

RULE = """# Cart {n}
Trigger: cart_updated_{n} where cart_total >= {n}
Condition: NOT purchase_completed_{n} within {hours} hours
Wait: {n} minutes
Condition: person.country_{n} = PL
Action: send_email "cart-{n}" with total = trigger.total_{n}
Limit: {n} per person per {hours} days
Exit: unsubscribed_{n} OR order_placed_{n}
"""
"""Seven clauses, of which no two rules have one in common, with a few more words to each than those of the packs."""


def main(count: int = 1_000) -> None:
    bare = Lark(grammar_text(), start=list(STARTS), parser="lalr", lexer="contextual")
    _compiled(read(_text(0, 1)))
    loaded, again, floor = [], [], []
    for number in range(1, ROUNDS + 1):
        text = _text(number * count, count)
        clauses = _clauses(text)
        loaded.append(_seconds(lambda: _compiled(read(text, limits=LIMITS))))  # noqa: B023
        again.append(_seconds(lambda: read("# further down\n\n" + text, limits=LIMITS)))  # noqa: B023
        floor.append(_seconds(lambda: [bare.parse(body, start) for start, body in clauses]))  # noqa: B023
    print(f"rules of seven clauses   {count:>10,}")
    print(f"text to programs         {min(loaded):>10.3f} s CPU {count / min(loaded):>12,.0f} rules/s")
    print(f"read again, all moved    {min(again):>10.3f} s CPU {count / min(again):>12,.0f} rules/s")
    print(f"Lark's bare parse        {min(floor):>10.3f} s CPU {count / min(floor):>12,.0f} rules/s")
    print(f"ratio to the floor       {min(floor) / min(loaded):>10.2f}")


def _text(first: int, count: int) -> str:
    return "\n".join(RULE.format(n=number, hours=number % 1_000 + 2) for number in range(first + 1, first + count + 1))


def _clauses(text: str) -> list[tuple[str, str]]:
    """The start rule and the body of every clause."""
    entries = Splitter(Source("bench", text), LIMITS, CLAUSES, frozenset({"trigger"})).split()
    clauses = [finished(draft, text) for entry in entries for draft in entry.drafts]
    return [(CLAUSES[one.word].grammar or "", one.body) for one in clauses]


def _compiled(reading: Reading) -> None:
    """Everything that going live asks of a program."""
    assert reading.ok
    for program in map(Program, reading.rules):
        _ = program.code, program.digest, program.opening_digest


def _seconds(work: Callable[[], object]) -> float:
    gc.collect()
    gc.freeze()
    begun = time.process_time()
    work()
    return time.process_time() - begun


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
