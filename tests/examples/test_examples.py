"""The programs in ``examples/`` run from anywhere, without a word on standard error, and do what they say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run(program: str, folder: Path) -> list[str]:
    """What an example prints, run from a folder that is not the repository."""
    command = [sys.executable, str(ROOT / "examples" / program)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=240, check=False)
    assert done.stderr == ""
    assert done.returncode == 0
    return done.stdout.splitlines()


def test_the_tour_shows_every_action(tmp_path: Path) -> None:
    lines = run("tour.py", tmp_path)
    assert any("bob" in line and "tour-cart: send_email cart_reminder" in line for line in lines)
    assert not any("ann" in line and "tour-cart" in line for line in lines)


def test_the_service_writes_only_to_who_left_a_cart(tmp_path: Path) -> None:
    lines = run("service.py", tmp_path)
    assert "mail 'basket_waiting' to bob@example.com about cart c2" in lines
    assert not any(line.startswith("mail") and "ann" in line for line in lines)
