"""``python -m engine.cli`` is ``lapse``."""

from engine.cli import main

main()
