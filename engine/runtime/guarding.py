"""The blast guard: a rule that would act on unusually many people within an hour stops itself.

People are counted, not actions: those to whom a journey sent something for the first time within the rolling hour, or
since somebody resumed the rule. Counts by the hour say cheaply that a rule is far from its limit; only near it are the
people themselves counted.
"""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Final

from engine.clock import HOUR
from engine.delivery_settings import GuardSettings
from engine.runtime.live import LiveRule
from engine.store import Connection, guarding

HOURS: Final = 7 * 24
"""Of so many full hours the median is taken."""


class Guard:
    """Watches the rules of one claim."""

    def __init__(self, connection: Connection, workspace: int, settings: GuardSettings | None, now: int) -> None:
        self._connection = connection
        self._workspace = workspace
        self._settings = settings
        self._exempt = frozenset(() if settings is None else settings.exempt)
        self._now = now
        self._hour = now // HOUR
        self._hours: dict[int, dict[int, int]] = {}
        self._people: dict[int, set[int]] = {}
        self._acted: Counter[int] = Counter()
        self._newly: dict[int, set[int]] = defaultdict(set)
        self.stopped: dict[int, str] = {}
        """Rules that are to stop, with the reason."""

    def lets(self, rule: LiveRule, person: int, action: str, before: Iterable[str]) -> bool:
        """Whether an action of a rule may leave for a person; then it counts.

        ``before`` names the actions of its journey that left already. From the first that may not leave, nothing of
        the rule may.
        """
        if self._settings is None or action in self._exempt:
            return True
        if rule.row in self.stopped:
            return False
        if not self._exempt.issuperset(before):
            return True
        if self._is_over(self._settings, rule, person):
            return False
        self._acted[rule.row] += 1
        self._newly[rule.row].add(person)
        return True

    def _is_over(self, settings: GuardSettings, rule: LiveRule, person: int) -> bool:
        """Whether one person more is too many; if so, the rule is to stop."""
        limit = self._limit(settings, rule)
        if self._at_most(rule.row) < limit:
            return False
        people = self._people_of(rule)
        if person in people or len(people) < limit:
            return False
        self.stopped[rule.row] = f"it would act on more than {limit:,} people within an hour"
        return True

    def save(self) -> None:
        """Write how many acted, by the hour."""
        guarding.add(self._connection, self._workspace, self._hour, self._acted)

    def _limit(self, settings: GuardSettings, rule: LiveRule) -> int:
        """The most people within an hour: the setting, or so many times the rule's own median hour.

        Hours before the rule went live are hours without anybody: a rule has no history before it has half a week.
        """
        floor = settings.rules.get(rule.id, settings.people_per_hour)
        known = self._known(rule.row)
        full = [known.get(hour, 0) for hour in range(self._hour - HOURS, self._hour)]
        return max(floor, int(settings.times_median * statistics.median(full)))

    def _at_most(self, rule: int) -> int:
        """No fewer than have acted within the last hour."""
        known = self._known(rule)
        return known.get(self._hour, 0) + known.get(self._hour - 1, 0) + self._acted[rule]

    def _known(self, rule: int) -> dict[int, int]:
        if rule not in self._hours:
            self._hours[rule] = guarding.hours(self._connection, self._workspace, rule, self._hour - HOURS)
        return self._hours[rule]

    def _people_of(self, rule: LiveRule) -> set[int]:
        """Those who were acted on within the last hour, this claim included. Who resumes a rule lets it begin anew."""
        if rule.row not in self._people:
            after = max(self._now - HOUR, rule.resumed_at or 0)
            self._people[rule.row] = guarding.people(self._connection, rule.row, after, self._exempt)
        return self._people[rule.row] | self._newly[rule.row]
