"""Lapse: a rules engine for customer journeys, for what people do and for what they don't.

    import engine

    engine.ingest({"event": "cart_updated", "user_id": "u1", "properties": {"cart_total": 80}})

The functions here use one engine for the whole process, opened at the first call on ``LAPSE_STORE`` (default
``sqlite:///lapse.db``) with the rules of ``LAPSE_RULES`` (default ``./rules``) and closed at exit. It takes events in
and decides what they decide; what comes due later is the business of ``lapse run``. Those who want more open an
:class:`Engine` of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.default import identify, ingest
    from engine.delivery.channels import Outgoing, SendError
    from engine.errors import ConfigError, LapseError, StoreError
    from engine.model import Event, Identify
    from engine.receipt import Receipt
    from engine.runtime.engine import Engine
else:
    _HOMES = {
        "ConfigError": "engine.errors",
        "Engine": "engine.runtime.engine",
        "Event": "engine.model",
        "Identify": "engine.model",
        "LapseError": "engine.errors",
        "Outgoing": "engine.delivery.channels",
        "Receipt": "engine.receipt",
        "SendError": "engine.delivery.channels",
        "StoreError": "engine.errors",
        "identify": "engine.default",
        "ingest": "engine.default",
    }
    """Where each public name is defined. It is imported when first used: the command starts without most of them."""

    def __getattr__(name):
        if name not in _HOMES:
            raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
        from importlib import import_module

        value = globals()[name] = getattr(import_module(_HOMES[name]), name)
        return value

    def __dir__():
        return sorted({*globals(), *_HOMES})


__all__ = [
    "ConfigError",
    "Engine",
    "Event",
    "Identify",
    "LapseError",
    "Outgoing",
    "Receipt",
    "SendError",
    "StoreError",
    "identify",
    "ingest",
]
