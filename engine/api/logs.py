"""The service's log: structlog, a line of JSON an entry, with nothing in it that is secret or says who a person is.

So: the route's pattern and not the path, no query, no body, no address; of a key its public id; of an error its kind
and where it was raised, but not its text, which may quote what came in.
"""

from __future__ import annotations

import logging
import traceback
from typing import Any, Final

import structlog
from structlog.typing import EventDict, WrappedLogger

from engine.errors import StoreUnavailable

_LEVELS: Final = {"info": logging.INFO, "error": logging.ERROR}


class _Records:
    """Hands records to a logger of the standard library, without looking where each was written: that takes longer
    than all else, and every request writes one."""

    def __init__(self, logger: logging.Logger) -> None:
        self.logger = logger
        self.info = self.error = logger.handle


def _as_record(to: WrappedLogger, method: str, entry: EventDict) -> tuple[tuple[logging.LogRecord], dict[str, Any]]:
    """The event as a record's message, everything else as its ``fields``."""
    level = _LEVELS[method]
    if not to.logger.isEnabledFor(level):
        raise structlog.DropEvent
    record = logging.LogRecord(to.logger.name, level, "", 0, entry.pop("event"), (), None)
    record.fields = entry
    return (record,), {}


log: Any = structlog.wrap_logger(
    _Records(logging.getLogger("lapse.api")),
    processors=[_as_record],
    wrapper_class=structlog.stdlib.BoundLogger,
    cache_logger_on_first_use=True,
)


def fault(error: BaseException) -> dict[str, Any]:
    """What the log may have of an error nobody expected."""
    frames = traceback.extract_tb(error.__traceback__)
    return {
        "error": type(error).__name__,
        "reason": error.reason if isinstance(error, StoreUnavailable) else None,
        "cause": type(error.__cause__).__name__ if error.__cause__ is not None else None,
        "where": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }
