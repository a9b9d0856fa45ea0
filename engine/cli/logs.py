"""The log of ``lapse run``: on stderr, a line an entry, for people or as JSON."""

from __future__ import annotations

import datetime
import json
import logging
import sys
from typing import Any

from engine.cli.console import Format
from engine.cli.tamed import tamed, tamed_json

LOGGER = "lapse"

_ENCODER = json.JSONEncoder(ensure_ascii=False, default=str)


class TextLines(logging.Formatter):
    """``2026-01-01 12:00:00 warning  what happened``, in UTC. A further line of an entry is indented."""

    def format(self, record: logging.LogRecord) -> str:
        when = _time(record).strftime("%Y-%m-%d %H:%M:%S")
        text = f"{when} {record.levelname.lower():<7} {record.getMessage()}"
        whole = f"{text}\n{self.formatException(record.exc_info)}" if record.exc_info else text
        return tamed(whole).replace("\n", "\n    ")


class JsonLines(logging.Formatter):
    """One object a line; what an entry says about an action has keys of its own."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "time": _time(record).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            entry["error"] = self.formatException(record.exc_info)
        return tamed_json(_ENCODER.encode(entry))


def log_to_stderr(format: Format) -> None:
    """Send what Lapse logs to stderr, and warnings of the libraries below it too."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if format is Format.JSON else TextLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger(LOGGER).setLevel(logging.INFO)


def _time(record: logging.LogRecord) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(record.created, datetime.UTC)
