"""The command ``lapse``: one small file a verb, each calling one library function; all printing is in this room."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line. ``--version`` alone is answered without loading anything else."""
    if sys.argv[1:] == ["--version"]:
        from engine.version import VERSION

        sys.stdout.write(f"lapse {VERSION}\n")
        return
    from engine.cli.app import app

    app()
