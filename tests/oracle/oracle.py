"""A brute-force oracle of the rule language: which journeys a rule has for a person's timeline.

Time is walked from one candidate moment to the next. At each of them every waiting journey asks its
question again of the whole timeline known by then (``conditions``); there are no timers and no partial
results. Every entry arrives at its own time and every action leaves as soon as it may.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from engine.language import nodes

from .conditions import Draw, DrawKey
from .life import Acted
from .person import Person
from .records import Effect, Journey, Settings, Skip, fake_draw
from .timeline import Change, Entry, Event

__all__ = ["Change", "Draw", "DrawKey", "Effect", "Event", "Journey", "Skip", "decide", "decide_all", "fake_draw"]


def decide(rule: nodes.Rule, entries: Iterable[Entry], until: int, person: str = "p", **settings: Any) -> list[Journey]:
    """The journeys of one rule and person at ``until`` (included), in order of their first trigger."""
    return decide_all(rule, {person: entries}, until, **settings)[person]


def decide_all(
    rule: nodes.Rule, people: Mapping[str, Iterable[Entry]], until: int, **settings: Any
) -> dict[str, list[Journey]]:
    """Several people at once, for limits over all of them: by moment, person id, trigger (ruling 25)."""
    chosen = Settings(until, **settings)
    ledger: list[Acted] = []
    crowd = [Person(rule, name, list(people[name]), chosen, ledger) for name in sorted(people)]
    shared = any(limit.per == "all" for limit in rule.limits)
    for group in [crowd] if shared else [[one] for one in crowd]:
        _walk_time(group, chosen)
    return {one.name: one.result() for one in crowd}


def _walk_time(people: list[Person], settings: Settings) -> None:
    """From one moment that matters to the next; people of one instant are taken together."""
    now = -(2**62)
    while True:
        coming = [(one.next_moment(now), one) for one in people]
        moments = [at for at, _ in coming if at is not None and at <= settings.until]
        if not moments:
            return
        now = min(moments)
        awake = [one for at, one in coming if at == now]
        while True:
            for one in awake:
                one.receive(now)
            if now <= settings.until - settings.grace:
                acting = [(one.order_of_acting(run), one, run) for one in awake for run in one.under_way()]
                for _, one, run in sorted(acting, key=lambda entry: entry[0]):
                    one.resume(run)
            awake = [one for one in awake if one.more_to_receive()]
            if not awake:
                break
