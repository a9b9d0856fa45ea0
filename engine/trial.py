"""A trial: one event is taken in and decided in memory, as a store would do it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

from engine.config import Settings
from engine.errors import LapseError
from engine.extras import reinstall
from engine.testing import Travel

RULE: Final = "Rule: trial\nTrigger: trial_event\nCondition: NOT trial_answer within 1 minute\nAction: trial_action\n"


def failure(zone: str) -> str | None:
    """Return why an event cannot be taken in and decided on this machine; None if it can.

    All settings but the zone are the defaults, and no store or channel is touched. A package that is missing is named
    with the command that installs it.
    """
    try:
        sent = _sent(zone)
    except ImportError as error:
        return reinstall(error)
    except LapseError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 - whatever it is, the diagnosis is to tell it
        return f"{type(error).__name__}: {error}"
    return None if sent == ["trial_action"] else f"the rule of the trial sent {sent or 'nothing'}"


def _sent(zone: str) -> list[str]:
    alone = Settings.model_construct(store="sqlite://", zone=zone)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trial.rules"
        path.write_text(RULE, encoding="utf-8")
        with Travel(path, settings=alone) as travel:
            travel.engine.ingest({"event": "trial_event", "user_id": "trial"})
            travel.move("1 hour")
            return [one.action for one in travel.engine.sent()]
