"""What the verbs that run until they are stopped have in common."""

from __future__ import annotations

import gc

from engine.cli.life import keep_still


def test_what_is_loaded_is_not_looked_at_again():
    before = gc.get_freeze_count()
    try:
        keep_still()
        assert gc.get_freeze_count() > before
    finally:
        gc.unfreeze()
