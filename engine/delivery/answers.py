"""What a receiver's answer means for the action it was sent."""

from __future__ import annotations

import datetime
import email.utils
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from engine.clock import moment
from engine.delivery.channels import SendError

GONE: Final = 410
AGAIN: Final = (408, 409, 425, 429)
"""Refusals that are about this moment and not about the request."""
BETWEEN: Final = (502, 504)
"""Answers of a gateway that does not know what the receiver behind it has done."""

_SECONDS: Final = re.compile(r"[0-9]{1,10}")


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer's status, and its headers by their names in lower case."""

    status: int
    headers: Mapping[str, str]


def judge(answer: Answer, now: int) -> None:
    """Returns where the action was taken, and raises SendError where it was not. ``now`` is microseconds UTC."""
    status = answer.status
    if 200 <= status < 300:
        return
    said = f"the receiver answered {status}"
    if status == GONE:
        raise SendError(f"{said}: it wants nothing more", permanent=True, gone=True)
    if 300 <= status < 400:
        raise SendError(f"{said}, and redirects are not followed; name the url it moved to", permanent=True)
    if status < 500 and status not in AGAIN:
        raise SendError(said, permanent=True)
    raise SendError(said, retry_after=retry_after(answer.headers, now), unknown=status in BETWEEN)


def retry_after(headers: Mapping[str, str], now: int) -> float | None:
    """Seconds after which the receiver wants to be asked again; None where it says nothing that can be understood.

    A date counts from the answer's own date, so that nobody's clock has to be right, and else from ``now``.
    """
    text = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    then = _date(text)
    if then is None:
        return None
    return max((then - (_date(headers.get("date", "")) or moment(now))).total_seconds(), 0.0)


def _date(text: str) -> datetime.datetime | None:
    try:
        found = email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=datetime.UTC)
