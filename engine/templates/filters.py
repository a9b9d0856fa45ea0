"""Filters that are not python-liquid's: dates without a clock, and those it has in a form that may take too long."""

from __future__ import annotations

import datetime
import json as json_module
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from liquid import Markup, RenderContext, is_undefined
from liquid.filter import sequence_filter, string_filter, with_context

from engine.clock import SECOND, moment
from engine.zones import zone_named

if TYPE_CHECKING:
    from engine.templates.limits import Scope

_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_NOW: Final = ("now", "today")
_ISO: Final = re.compile(r"\d{4}-\d\d-\d\d([Tt ]\d\d:\d\d.*)?", re.ASCII | re.DOTALL)
_UNPADDED: Final = re.compile(r"%-([dmHIMSjyUW])")
"""A number without zeros before it. Not every system's strftime knows it."""
_SECONDS: Final = re.compile(r"-?\d{1,12}", re.ASCII)


@with_context
def date(value: Any, form: Any = None, *, context: RenderContext) -> Any:
    """A moment in the form of strftime; what is none stays as it is. ``"now"`` is the moment of the action."""
    found = _moment(value, context)
    if found is None or form is None or is_undefined(form):
        return value
    written = found.strftime(_UNPADDED.sub(lambda part: str(int(found.strftime(f"%{part[1]}"))), str(form)))
    return Markup(written) if isinstance(form, Markup) else written


@with_context
def time_zone(value: Any, zone: Any = None, *, context: RenderContext) -> Any:
    """A moment by the clock of a zone, as ISO 8601; it stays as it is where the zone is none, or has no such moment."""
    found = _moment(value, context)
    there = zone_named(zone) if isinstance(zone, str) else None
    try:
        return value if found is None or there is None else found.astimezone(there).isoformat()
    except (OverflowError, ValueError):  # the last hours of the calendar lie beyond it elsewhere
        return value


def _moment(value: Any, context: RenderContext) -> datetime.datetime | None:
    """ISO 8601, or seconds since 1970; in UTC unless it says otherwise."""
    if isinstance(value, str) and value in _NOW:
        scope: Scope = context  # type: ignore[assignment]
        return moment(scope.making.moment)
    try:
        if isinstance(value, str) and _ISO.fullmatch(value):
            found = datetime.datetime.fromisoformat(value.upper())
            return found if found.tzinfo else found.replace(tzinfo=datetime.UTC)
        if isinstance(value, str) and not _SECONDS.fullmatch(value):
            return None
        is_number = isinstance(value, str | int | float) and not isinstance(value, bool)
        return _EPOCH + datetime.timedelta(microseconds=int(float(value) * SECOND)) if is_number else None
    except (ValueError, OverflowError):
        return None


@sequence_filter
def uniq(items: Any, key: Any = None) -> list[Any]:
    """Each item once, or each value of ``key`` once."""
    first: dict[str, Any] = {}
    for item in items:
        value = item if key is None else item.get(key) if isinstance(item, Mapping) else None
        first.setdefault(json(value), item)
    return list(first.values())


def json(value: Any) -> str:
    """A value as JSON."""
    return json_module.dumps(value, ensure_ascii=False, default=str)


@string_filter
def strip_html(text: str) -> str:
    """A text without tags, comments, scripts and styles; each letter is looked at a few times at most."""
    kept: list[str] = []
    place = 0
    closings = list(_CLOSINGS)
    while (opening := text.find("<", place)) >= 0:
        kept.append(text[place:opening])
        behind = _behind_tag(text, opening, closings)
        if behind is None:
            return "".join([*kept, text[opening:]])
        place = behind
    return "".join([*kept, text[place:]])


_CLOSINGS: Final = tuple(
    (re.compile(opening, re.IGNORECASE), re.compile(closing, re.IGNORECASE))
    for opening, closing in (("<script", "</script>"), ("<style", "</style>"), ("<!--", "-->"), ("<", ">"))
)


def _behind_tag(text: str, opening: int, closings: list[tuple[re.Pattern[str], re.Pattern[str]]]) -> int | None:
    """Where a tag, with all it holds, is over. A closing that comes no more is taken from ``closings``."""
    for pair in [pair for pair in closings if pair[0].match(text, opening)]:
        found = pair[1].search(text, opening)
        if found is not None:
            return found.end()
        closings.remove(pair)
    return None


FILTERS: Final[Mapping[str, Callable[..., Any]]] = {
    "date": date,
    "time_zone": time_zone,
    "uniq": uniq,
    "json": json,
    "strip_html": strip_html,
}
