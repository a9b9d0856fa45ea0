"""``lapse doctor``."""

from engine.cli.console import Format
from engine.cli.options import FormatOption


def doctor(format: FormatOption = Format.TEXT) -> None:
    """Later.

    \b
    lapse doctor
    """
