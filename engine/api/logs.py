"""The service's log: structlog, a line of JSON an entry, with nothing in it that is secret or says who a person is.

So: the route's pattern and not the path, no query, no body, no address; of a key its public id; of an error its kind
and where it was raised, but not its text, which may quote what came in.
"""

from __future__ import annotations

import logging
import traceback
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger


def _as_fields(_logger: WrappedLogger, _method: str, entry: EventDict) -> EventDict:
    """What the standard library's logging takes: the event as its message, everything else as ``fields``."""
    return {"msg": entry.pop("event"), "extra": {"fields": entry}}


log: Any = structlog.wrap_logger(
    logging.getLogger("lapse.api"),
    processors=[structlog.stdlib.filter_by_level, _as_fields],
    wrapper_class=structlog.stdlib.BoundLogger,
    cache_logger_on_first_use=True,
)


def fault(error: BaseException) -> dict[str, Any]:
    """What the log may have of an error nobody expected."""
    frames = traceback.extract_tb(error.__traceback__)
    return {
        "error": type(error).__name__,
        "cause": type(error.__cause__).__name__ if error.__cause__ is not None else None,
        "where": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }
