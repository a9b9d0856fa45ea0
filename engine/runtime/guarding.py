"""The blast guard: a rule that would act on unusually many people within an hour stops itself.

People are counted, not actions: those whose journeys acted for the first time within the rolling hour. Counts by the
hour say cheaply that a rule is far from its limit; only near it are the people themselves counted.
"""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from typing import Final

from engine.clock import HOUR
from engine.delivery_settings import GuardSettings
from engine.store import Connection, guarding

HOURS: Final = 7 * 24
"""Of so many full hours the median is taken."""


class Guard:
    """Watches the rules of one claim."""

    def __init__(self, connection: Connection, workspace: int, settings: GuardSettings | None, now: int) -> None:
        self._connection = connection
        self._workspace = workspace
        self._settings = settings
        self._now = now
        self._hour = now // HOUR
        self._hours: dict[int, dict[int, int]] = {}
        self._people: dict[int, set[int]] = {}
        self._acted: Counter[int] = Counter()
        self._newly: dict[int, set[int]] = defaultdict(set)
        self.stopped: dict[int, str] = {}
        """Rules that are to stop, with the reason."""

    def lets(self, rule: int, rule_id: str, person: int, action: str, *, first: bool) -> bool:
        """Whether an action of a rule may leave; ``first``: its journey has not acted yet.

        From the first that may not, nothing of the rule may.
        """
        if self._settings is None or action in self._settings.exempt:
            return True
        if rule in self.stopped:
            return False
        if not first:
            return True
        limit = self._limit(rule, rule_id)
        if self._at_most(rule) < limit:
            return True
        people = self._people_of(rule)
        if person in people or len(people) < limit:
            return True
        self.stopped[rule] = f"it would act on more than {limit:,} people within an hour"
        return False

    def acts(self, rule: int, person: int) -> None:
        """A journey acts for the first time."""
        self._acted[rule] += 1
        self._newly[rule].add(person)

    def save(self) -> None:
        """Write how many acted, by the hour."""
        guarding.add(self._connection, self._workspace, self._hour, self._acted)

    def _limit(self, rule: int, rule_id: str) -> int:
        """The most people within an hour: the setting, or so many times the rule's own median hour.

        Hours before the rule went live are hours without anybody: a rule has no history before it has half a week.
        """
        assert self._settings is not None
        floor = self._settings.rules.get(rule_id, self._settings.people_per_hour)
        known = self._known(rule)
        full = [known.get(hour, 0) for hour in range(self._hour - HOURS, self._hour)]
        return max(floor, int(self._settings.times_median * statistics.median(full)))

    def _at_most(self, rule: int) -> int:
        """No fewer than have acted within the last hour."""
        known = self._known(rule)
        return known.get(self._hour, 0) + known.get(self._hour - 1, 0) + self._acted[rule]

    def _known(self, rule: int) -> dict[int, int]:
        if rule not in self._hours:
            self._hours[rule] = guarding.hours(self._connection, self._workspace, rule, self._hour - HOURS)
        return self._hours[rule]

    def _people_of(self, rule: int) -> set[int]:
        """Those who were acted on within the last hour, this claim included."""
        if rule not in self._people:
            self._people[rule] = guarding.people(self._connection, rule, self._now - HOUR)
        return self._people[rule] | self._newly[rule]
