"""Print a shell command of the README by its place: ``python3 .ci/readme_command.py 1`` prints the first."""

from __future__ import annotations

import re
import sys
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"
COMMAND = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def command(place: int) -> str:
    """Return the text of the ``sh`` block at a place, counted from 1."""
    return COMMAND.findall(README.read_text("utf-8"))[place - 1]


if __name__ == "__main__":
    sys.stdout.write(command(int(sys.argv[1])))
