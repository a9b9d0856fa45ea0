"""The command ``lapse``: one small file a verb, each calling one library function; all printing is in this room."""

from engine.cli.app import app, main

__all__ = ["app", "main"]
