"""Figures that a benchmark is asked for on its command line, each with a default of the same kind."""

from __future__ import annotations

import argparse


def figures(**defaults: float) -> argparse.Namespace:
    """Return the figures asked for: ``--events 1000``, and the default of each that is not."""
    parser = argparse.ArgumentParser()
    for name, default in defaults.items():
        parser.add_argument(f"--{name}", type=type(default), default=default)
    return parser.parse_args()
