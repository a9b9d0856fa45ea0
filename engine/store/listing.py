"""Journeys and actions for those who look: newest first, page by page, of a person, of a rule, or of all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, Connection, FromClause, Select, and_, literal_column, or_, select

from engine.store.prepared import Prepared, batch, bound, listed
from engine.store.rows import JourneyRow, OutboxRow
from engine.store.schema import journeys, outbox

STATES: Final = (
    "held", "pending", "sending", "sent", "failed", "dead", "parked", "cancelled", "suppressed", "skipped_late",
)  # fmt: skip
"""All that an action can be in, in the order in which it comes to be."""

_workspace, _before, _limit = bound("workspace"), bound("before"), bound("limit")

# ------------------------------------------------------------------------------------------------ journeys


def _journey_page(of_person: bool, of_rule: bool) -> Prepared:
    """One statement for each choice of filters, so that each goes by its own index."""
    own = journeys.c.workspace_id + literal_column("0") == _workspace  # no index that begins with it is meant
    wanted: Select[Any] = select(journeys.c.id).where(own, journeys.c.id < _before)
    names = ["workspace", "before"]
    if of_person:
        wanted = wanted.where(journeys.c.person_id == bound("person"))
        names.append("person")
    if of_rule:
        wanted = wanted.where(journeys.c.rule == bound("of_rule"))
        names.append("of_rule")
    found = wanted.order_by(journeys.c.id.desc()).limit(_limit)
    return Prepared(
        select(*(journeys.c[one] for one in JourneyRow._fields))
        .where(journeys.c.id.in_(found))
        .order_by(journeys.c.id.desc()),
        *names,
        "limit",
    )


JOURNEYS: Final = {filters: _journey_page(*filters) for filters in product((False, True), (False, True))}


def journey_page(
    connection: Connection, workspace: int, *, person: int | None, rule: int | None, before: int, limit: int
) -> list[JourneyRow]:
    """Journeys older than the row ``before``, newest first. One statement."""
    statement = JOURNEYS[person is not None, rule is not None]
    given = [one for one in (workspace, before, person, rule, limit) if one is not None]
    return list(map(JourneyRow._make, statement.rows(connection, *given)))


# ------------------------------------------------------------------------------------------------ actions


@dataclass(frozen=True)
class Wanted:
    """Which actions. None: whatever it is. ``rules`` and ``person`` are rows, ``states`` some of :data:`STATES`,
    ``channel`` is the one that took the action up, ``name`` the action's.
    """

    person: int | None = None
    rules: tuple[int, ...] | None = None
    states: tuple[str, ...] | None = None
    channel: str | None = None
    name: str | None = None


By = Literal["all", "person", "rules"]
"""What a page is found by: row for row, a person's actions, or each rule's of each state."""

FILTERS: Final = ("channel", "name")
"""What no index has."""
_NAMES: Final[dict[By, tuple[str, ...]]] = {
    "all": (),
    "person": ("person", "rules", "states"),
    "rules": ("pairs",),
}
# What a list does not show is not read: bodies are large.
_unread: Final[dict[str, ColumnElement[Any]]] = {
    "body": literal_column("NULL").label("body"),
    "variables": literal_column("'{}'").label("variables"),
}
_rules, _states = batch("rules", rule=int), batch("states", state=str)
_pairs = batch("pairs", state=str, rule=int)
_own = outbox.c.workspace_id + literal_column("0") == _workspace  # no index that begins with it is meant


def filtered(holder: FromClause) -> ColumnElement[bool]:
    """By :data:`FILTERS`; one that is null lets everything pass."""
    channel, name = bound("channel"), bound("name")
    return and_(or_(channel.is_(None), holder.c.channel == channel), or_(name.is_(None), holder.c.name == name))


def newest(*more: Callable[[FromClause], ColumnElement[bool]]) -> Select[Any]:
    """The newest of each state of each rule, and of these the newest: no more are looked at than a page each.

    ``more`` are conditions besides. Binds ``workspace``, ``before``, ``pairs``, ``channel``, ``name`` and ``limit``.
    """
    one, each = outbox.alias("one"), outbox.alias("each")
    of_each = (
        select(each.c.id)
        .where(
            each.c.workspace_id == _workspace,
            each.c.status == _pairs["state"],
            each.c.rule == _pairs["rule"],
            each.c.id < _before,
            filtered(each),
            *(condition(each) for condition in more),
        )
        .order_by(each.c.id.desc())
        .limit(_limit)
        .correlate(_pairs.rows)
    )
    found = select(one.c.id).select_from(_pairs.joined(one, one.c.id.in_(of_each)))
    return found.order_by(one.c.id.desc()).limit(_limit)


def _found(by: By) -> Select[Any]:
    if by == "rules":
        return newest()
    wanted: Select[Any] = select(outbox.c.id).where(_own, outbox.c.id < _before, filtered(outbox))
    if by == "person":
        wanted = wanted.where(
            outbox.c.person_id == bound("person"),
            outbox.c.rule.in_(select(_rules["rule"])),
            outbox.c.status.in_(select(_states["state"])),
        )
    return wanted.order_by(outbox.c.id.desc()).limit(_limit)


def _action_page(by: By) -> Prepared:
    columns = (_unread.get(one, outbox.c[one]) for one in OutboxRow._fields)
    page = select(*columns).where(outbox.c.id.in_(_found(by))).order_by(outbox.c.id.desc())
    return Prepared(page, "workspace", "before", *_NAMES[by], *FILTERS, "limit")


ACTIONS: Final[dict[By, Prepared]] = {by: _action_page(by) for by in _NAMES}
BY_KEY: Final = Prepared(
    select(*(outbox.c[one] for one in OutboxRow._fields)).where(
        outbox.c.workspace_id == _workspace, outbox.c.key == bound("key")
    ),
    "workspace", "key",
)  # fmt: skip


def action_page(
    connection: Connection, workspace: int, every_rule: Iterable[int], wanted: Wanted, before: int, limit: int
) -> list[OutboxRow]:
    """Actions decided before the row ``before``, newest first, without their bodies and variables. One statement.

    ``every_rule`` are the rows of all rules there are, for pages of no rule in particular.
    """
    by, given = _asked(wanted, every_rule)
    values = (workspace, before, *given, wanted.channel, wanted.name, limit)
    return list(map(OutboxRow._make, ACTIONS[by].rows(connection, *values)))


def by_key(connection: Connection, workspace: int, key: str) -> OutboxRow | None:
    """The whole action of a key."""
    row = BY_KEY.row(connection, workspace, key)
    return None if row is None else OutboxRow._make(row)


def _asked(wanted: Wanted, every_rule: Iterable[int]) -> tuple[By, Sequence[object]]:
    if wanted.person is not None:
        rules, states = wanted.rules, wanted.states
        of = listed(every_rule if rules is None else rules), listed(STATES if states is None else states)
        return "person", (wanted.person, *of)
    if wanted.rules is None and wanted.states is None:
        return "all", ()
    return "rules", (paired(wanted, every_rule),)


def paired(wanted: Wanted, every_rule: Iterable[int]) -> str:
    """The states and rules of a page, as they are bound to ``pairs``."""
    rules = every_rule if wanted.rules is None else wanted.rules
    return listed(product(STATES if wanted.states is None else wanted.states, rules))
