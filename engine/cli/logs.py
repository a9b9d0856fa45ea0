"""The log of ``lapse run``: on stderr, a line an entry, for people or as JSON."""

from __future__ import annotations

import datetime
import errno
import json
import logging
import os
import sys
from contextlib import suppress
from typing import Any, TextIO

import typer

from engine.cli.console import FAILED, Format
from engine.cli.tamed import tamed, tamed_json
from engine.version import VERSION

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
    """Send what Lapse logs to stderr, and warnings of the libraries below it too.

    Raises Exit where nothing can be written there: a daemon without a log would fail without a word.
    """
    formatter = JsonLines() if format is Format.JSON else TextLines()
    _write_first(formatter)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger(LOGGER).setLevel(logging.INFO)


def stderr() -> TextIO:
    """Return standard error. Raises OSError where it is closed."""
    if sys.stderr is None:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    return sys.stderr


def _write_first(formatter: logging.Formatter) -> None:
    """Write the first entry. That it cannot be written is told on standard output, which is all there is."""
    entry = logging.LogRecord(LOGGER, logging.INFO, __file__, 0, f"lapse {VERSION} starts", None, None)
    stream = None
    try:
        stream = stderr()
        stream.write(f"{formatter.format(entry)}\n")
        stream.flush()
    except OSError as error:
        typer.echo(f"error: the log cannot be written to standard error: {error.strerror}")
        with suppress(OSError):
            if stream is not None:
                stream.close()  # else what could not be written is tried again at the end, and changes the exit code
        raise typer.Exit(FAILED) from None


def _time(record: logging.LogRecord) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(record.created, datetime.UTC)
