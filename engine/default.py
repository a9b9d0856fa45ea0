"""The engine of a process that did not open one: made at the first call, closed at exit."""

from __future__ import annotations

import atexit
import logging
import threading
from collections.abc import Iterable, Mapping
from typing import Any

from engine.config import Settings, load_settings
from engine.errors import ConfigError
from engine.model import Event, Identify
from engine.receipt import Receipt
from engine.runtime.engine import Engine, refusal

_log = logging.getLogger("lapse.engine")
_lock = threading.Lock()
_engine: Engine | None = None


def ingest(
    events: Mapping[str, Any] | Event | Identify | Iterable[Mapping[str, Any] | Event | Identify],
    *,
    historical: bool = False,
) -> Receipt:
    """:meth:`Engine.ingest` of the process's own engine."""
    return default_engine().ingest(events, historical=historical)


def identify(
    user_id: str | None = None,
    traits: Mapping[str, Any] | None = None,
    *,
    anonymous_id: str | None = None,
    contact_id: str | None = None,
    previous_id: str | None = None,
    timestamp: Any = None,
    message_id: str | None = None,
) -> Receipt:
    """:meth:`Engine.identify` of the process's own engine."""
    return default_engine().identify(
        user_id,
        traits,
        anonymous_id=anonymous_id,
        contact_id=contact_id,
        previous_id=previous_id,
        timestamp=timestamp,
        message_id=message_id,
    )


def default_engine() -> Engine:
    """The process's own engine, opened now if need be.

    Where the rules of the settings have an error, those that were live stay live, and the log says so. Raises
    ConfigError when the settings are wrong, or the rules while none is live.
    """
    global _engine  # noqa: PLW0603
    with _lock:
        if _engine is None:
            _engine = _opened(load_settings())
            atexit.register(close)
        return _engine


def _opened(settings: Settings) -> Engine:
    engine = Engine.open(settings=settings)
    try:
        if settings.rules.exists():
            _load(engine)
    except BaseException:
        engine.close()
        raise
    return engine


def _load(engine: Engine) -> None:
    found = engine.load(engine.settings.rules)
    if found.ok:
        return
    if not engine.live.rules:
        raise ConfigError(refusal(found))
    found.log_to(_log)


def close() -> None:
    """Close the process's own engine; the next call opens it anew."""
    global _engine  # noqa: PLW0603
    with _lock:
        if _engine is not None:
            _engine.close()
            _engine = None
            atexit.unregister(close)
