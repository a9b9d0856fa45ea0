"""Did you mean: the nearest of some words."""

from __future__ import annotations

from collections.abc import Iterable


def distance(first: str, second: str) -> int:
    """How many letters to add, drop, change, or swap with their neighbour (restricted Damerau-Levenshtein)."""
    before: list[int] = []
    above = list(range(len(second) + 1))
    for row, letter in enumerate(first, 1):
        here = [row]
        for column, other in enumerate(second, 1):
            best = min(above[column] + 1, here[-1] + 1, above[column - 1] + (letter != other))
            if row > 1 and column > 1 and letter == second[column - 2] and first[row - 2] == other:
                best = min(best, before[column - 2] + 1)
            here.append(best)
        before, above = above, here
    return above[-1]


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that ``word`` was most likely meant to be, if any is near enough."""
    plain = word.casefold()
    allowed = 1 if len(plain) <= 4 else 2
    candidates = [
        (distance(plain, other.casefold()), other)
        for other in known
        if abs(len(other) - len(plain)) <= allowed and other.casefold() != plain
    ]
    best = min(candidates, default=None)
    return best[1] if best and best[0] <= min(allowed, len(best[1]) - 1) else None
