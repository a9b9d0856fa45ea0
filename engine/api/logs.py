"""The service's log: structlog, a line of JSON an entry, with nothing in it that is secret or says who a person is.

So: the route's pattern and not the path, no query, no body, no address; of a key its public id; of an error its kind
and where it was raised, but not its text, which may quote what came in.
"""

from __future__ import annotations

import traceback
from typing import Any

import structlog

log: Any = structlog.stdlib.get_logger("lapse.api")


def fault(error: BaseException) -> dict[str, Any]:
    """What the log may have of an error nobody expected."""
    frames = traceback.extract_tb(error.__traceback__)
    return {
        "error": type(error).__name__,
        "cause": type(error.__cause__).__name__ if error.__cause__ is not None else None,
        "where": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }
