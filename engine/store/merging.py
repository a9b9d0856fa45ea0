"""Two people that turn out to be one: everything of the loser becomes the winner's."""

from __future__ import annotations

from sqlalchemy import Connection, Table, and_, case, func, literal_column, or_, select, update

from engine.store.prepared import Prepared, bound
from engine.store.schema import answers, attribute_changes, events, identifiers, journeys, outbox, people, watches

_winner, _loser = bound("winner"), bound("loser")


def _moving(table: Table) -> Prepared:
    """Every row of the loser becomes the winner's."""
    return Prepared(update(table).where(table.c.person_id == _loser).values(person_id=_winner), "winner", "loser")


MOVES = tuple(_moving(table) for table in (events, attribute_changes, journeys, outbox, answers))

_of_winner = identifiers.alias("of_winner")
_first = (
    select(func.min(_of_winner.c.linked_at))
    .where(_of_winner.c.person_id == _winner, _of_winner.c.kind == literal_column("'user'"))
    .scalar_subquery()
)
_comes_first = and_(identifiers.c.kind == literal_column("'user'"), identifiers.c.linked_at <= _first)
RENAME = Prepared(
    update(identifiers)
    .where(identifiers.c.person_id == _loser)
    .values(
        person_id=_winner,
        linked_at=case((_comes_first, _first + literal_column("1")), else_=identifiers.c.linked_at),
    ),
    "winner", "loser",
)  # fmt: skip
"""The loser's ids become the winner's. Who has two user ids goes by the older one, and that stays the winner's."""

_workspace = select(people.c.workspace_id).where(people.c.id == _winner).scalar_subquery()
UNWATCH = Prepared(
    watches.delete().where(watches.c.workspace_id == _workspace, watches.c.person_id == _loser), "winner", "loser"
)

RESOLVES_TO = Prepared(
    update(people).where(or_(people.c.id == _loser, people.c.merged_into == _loser)).values(merged_into=_winner),
    "winner", "loser",
)  # fmt: skip

_other = people.alias("other")


def _earlier(name: str) -> Prepared:
    """The winner's moment is the loser's where that is the earlier one."""
    loser = select(_other.c[name]).where(_other.c.id == _loser).scalar_subquery()
    known = people.c[name]
    return Prepared(
        update(people)
        .where(people.c.id == _winner)
        .values({name: case((loser.is_(None), known), (known <= loser, known), else_=loser)}),
        "winner", "loser",
    )  # fmt: skip


EARLIER = (_earlier("first_seen"), _earlier("first_arrived"))


def merge(connection: Connection, winner: int, loser: int) -> None:
    """Everything of ``loser`` is ``winner``'s from now on. Ten statements, each by an index.

    The loser's row stays, and so do those merged into it before: their public ids resolve to the winner. What the
    loser was watched for is dropped, for the two timelines are one now and have to be followed anew.
    """
    if winner == loser:
        return
    for statement in (RENAME, *MOVES, UNWATCH, *EARLIER, RESOLVES_TO):
        statement.run(connection, winner, loser)
