"""What private connections trust, made once for a channel."""

from __future__ import annotations

import ssl
from collections.abc import Callable

from engine.errors import ConfigError


def trusted(make: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    """What ``make`` makes. Raises ConfigError where the certificates it reads cannot be read, or are none."""
    try:
        return make()
    except OSError as error:
        why = "it holds no certificates in PEM" if isinstance(error, ssl.SSLError) else error.strerror
        raise ConfigError(f"the certificates it is to trust cannot be read, see SSL_CERT_FILE: {why}") from None
