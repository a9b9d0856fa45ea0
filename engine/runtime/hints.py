"""What may be left undone because a rule's meaning implies it: the one place all shortcuts of the runtime come from.

A hint saves work and decides nothing. With ``USED`` off every event and change has every rule decided, with all that
was ever known; whatever leaves then, and when, has to be the same, and a test holds the two side by side.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from engine.language import nodes
from engine.language.program import TRANSACTIONAL, Program, attributes_in

USED = True
"""Whether there are any hints. Read when rules are taken up; off in tests only."""


@dataclass(frozen=True, eq=False)
class Hints:
    """What one version of a rule implies, under the settings' quiet hours."""

    program: Program
    quiet: tuple[nodes.QuietHours, ...] = ()

    @property
    def patience(self) -> int:
        """The least time (microseconds) from a trigger, or the first sight of a person, to what it can lead to."""
        return self.program.patience if USED else 0

    @property
    def waking(self) -> frozenset[str | None]:
        """Names of events that may start something before its due moment; ``None``: any event does."""
        return self.program.waking if USED else frozenset((None,))

    @property
    def picky(self) -> bool:
        """Whether a trigger's own fields may keep it from starting anything."""
        return self.program.picky

    @property
    def shortest_wait(self) -> int:
        """The least time (microseconds) after which a rule that starts by itself may turn by an event alone."""
        return self.program.shortest_wait if USED else 0

    @cached_property
    def moved_by(self) -> frozenset[str] | None:
        """The attributes whose change may bring a moment nearer; ``None``: any."""
        if not USED:
            return None
        return self.program.moved_by if self._is_transactional else self.program.moved_by | attributes_in(self.quiet)

    @cached_property
    def reads_attributes(self) -> bool:
        """Whether any decision reads the person's attributes."""
        return not USED or self.program.reads_attributes or bool(self.moved_by)

    @property
    def names(self) -> frozenset[str] | None:
        """The names of the events to read; ``None``: all."""
        return self.program.names if USED else None

    @property
    def lookback(self) -> int | None:
        """How far before a journey's start a decision may look (microseconds); ``None``: without bound."""
        return self.program.lookback if USED else None

    @property
    def _is_transactional(self) -> bool:
        return self.program.rule.purpose == TRANSACTIONAL
