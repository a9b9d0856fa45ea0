"""Calls that count once: the first under a key is carried out, the others get its answer.

Which is first is settled in the transaction that stores the batch, so neither calls that share it nor other processes
come between. A key belongs to the door that took it: it is never an event's message id.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ulid import ULID

from engine.receipt import CODES, Accepted, Duplicate, Outcome, Receipt, Rejection
from engine.runtime.once import Once
from engine.runtime.submission import Submission
from engine.store import Connection, answers, counters
from engine.store.answers import AnswerRow, HoldRow

DIFFERS = "key_differs"
"""What is counted, of no rule, when a key comes again with something else."""

Told = Callable[[Sequence[Submission]], list[Receipt]]


def carry_out(
    connection: Connection,
    workspace: int,
    calls: Sequence[Submission],
    now: int,
    taking: Told,
    owners: Mapping[bytes, int],
    answer_bytes: int,
) -> list[Receipt]:
    """What each call is told. ``taking`` carries calls out; ``owners`` are then the people of the events it stored.

    Calls under one key are carried out one after the other until one of them uses the key up. Of a call's refusals
    ``answer_bytes`` are kept with their reasons.
    """
    keys = {_name(call.once) for call in calls if call.once is not None}
    if not keys:
        return taking(calls)
    known = _known(connection, workspace, keys, now)
    told: dict[int, Receipt] = {}
    waiting = list(range(len(calls)))
    while waiting:
        for place in waiting:
            once = calls[place].once
            if once is not None and (first := known.get(_name(once))):
                told[place] = first.again(once)
        turn = _turn(calls, [place for place in waiting if place not in told])
        receipts = taking([calls[place] for place in turn])
        told |= zip(turn, receipts, strict=True)
        fresh = [(calls[place].once, told[place]) for place in turn]
        used = [(once, one) for once, one in fresh if once is not None]
        known |= _keep(connection, workspace, used, now, owners, answer_bytes)
        waiting = [place for place in waiting if place not in told]
    counters.count(connection, workspace, Counter((counters.NO_RULE, DIFFERS) for one in told.values() if one.differs))
    return [told[place] for place in range(len(calls))]


Name = tuple[bool, str, str]
"""A key: whether it is kept for a time, its namespace, and itself."""


@dataclass(frozen=True)
class _First:
    """The call that used a key up."""

    digest: bytes
    receipt: Receipt

    def again(self, once: Once) -> Receipt:
        return replace(self.receipt, repeated=True, differs=once.digest != self.digest)


def _name(once: Once) -> Name:
    return once.lasts is not None, once.namespace, once.key


def _known(connection: Connection, workspace: int, keys: Iterable[Name], now: int) -> dict[Name, _First]:
    """The keys that are used up: two statements."""
    timed = sorted((namespace, key) for is_timed, namespace, key in keys if is_timed)
    kept = sorted((namespace, key) for is_timed, namespace, key in keys if not is_timed)
    known: dict[Name, _First] = {}
    for row in answers.answered(connection, workspace, timed, now) if timed else ():
        known[True, row.namespace, row.key] = _First(row.digest, Receipt(tuple(_read(row.outcomes))))
    for one in answers.held(connection, workspace, kept) if kept else ():
        known[False, one.namespace, one.key] = _First(one.digest, Receipt((Accepted(0, one.public_id),)))
    return known


def _turn(calls: Sequence[Submission], waiting: Sequence[int]) -> list[int]:
    """Those that are carried out together: of calls under one key the first."""
    taken: set[Name] = set()
    turn = []
    for place in waiting:
        once = calls[place].once
        if once is None or _name(once) not in taken:
            turn.append(place)
        if once is not None:
            taken.add(_name(once))
    return turn


def _keep(
    connection: Connection,
    workspace: int,
    done: Sequence[tuple[Once, Receipt]],
    now: int,
    owners: Mapping[bytes, int],
    answer_bytes: int,
) -> dict[Name, _First]:
    """Have calls use their keys up: those of which something was accepted, or that keep refusals."""
    used = [
        (once, receipt)
        for once, receipt in done
        if once.keeps_refusals or len(receipt.rejected) < len(receipt.outcomes)
    ]
    kept, held = [], []
    for once, receipt in used:
        if once.lasts is None:
            held.append(HoldRow(once.namespace, once.key, once.digest, _event(receipt)))
        else:
            person, end = _person(receipt, owners), now + once.lasts
            written = json.dumps(_all_written(receipt.outcomes, answer_bytes), separators=(",", ":"))
            kept.append(AnswerRow(once.namespace, once.key, once.digest, written, person, end))
    answers.keep(connection, workspace, kept)
    answers.hold(connection, workspace, held)
    return {_name(once): _First(once.digest, receipt) for once, receipt in used}


def _event(receipt: Receipt) -> bytes:
    """The event that holds the key of a call with one."""
    (one,) = receipt.outcomes
    assert not isinstance(one, Rejection)
    return one.public_id


def _person(receipt: Receipt, owners: Mapping[bytes, int]) -> int | None:
    people = {owners.get(one.public_id) for one in receipt.outcomes if not isinstance(one, Rejection)}
    return people.pop() if len(people) == 1 else None


def _all_written(outcomes: Sequence[Outcome], answer_bytes: int) -> list[Any]:
    """Outcomes as JSON has them. A refusal that was written before is the place of that one.

    Of refusals beyond ``answer_bytes`` only the code is written.
    """
    written: list[Any] = []
    places: dict[str, int] = {}
    room = answer_bytes
    for place, outcome in enumerate(outcomes):
        one = _written(outcome)
        if isinstance(outcome, Rejection):
            text = json.dumps(one)
            if text not in places and len(text) > room:
                one = {"code": outcome.code}
                text = outcome.code
            elif text not in places:
                room -= len(text)
            one = places.get(text, one)
            places.setdefault(text, place)
        written.append(one)
    return written


def _written(outcome: Outcome) -> Any:
    match outcome:
        case Accepted(public_id=public_id):
            return str(ULID(public_id))
        case Duplicate(public_id=public_id, message_id=message_id, conflict=conflict):
            return [str(ULID(public_id)), message_id, conflict]
        case Rejection(code=code, reason=reason, field=field, event=event):
            return {"code": code, "reason": reason, "field": field, "event": event}


def _read(outcomes: str) -> Iterable[Outcome]:
    written = json.loads(outcomes)
    for index, one in enumerate(written):
        match one:
            case str():
                yield Accepted(index, ULID.from_str(one).bytes)
            case [id, message_id, conflict]:
                yield Duplicate(index, ULID.from_str(id).bytes, message_id, conflict)
            case int():
                yield _rejection(index, written[one])
            case _:
                yield _rejection(index, one)


def _rejection(index: int, written: Mapping[str, Any]) -> Rejection:
    if "reason" in written:
        return Rejection(index, **written)
    code = written["code"]
    return Rejection(index, code, f"{CODES.get(code, 'it was refused')}; the first answer said more")
