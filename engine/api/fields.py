"""The fields of an event as a vendor names them: into the engine's words, and its reasons back into the vendor's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from engine.model import event_of
from engine.receipt import Rejection
from engine.strict_json import shown

_IDS: Final = ("user_id", "anonymous_id")


@dataclass(frozen=True)
class Fields:
    """The fields a vendor's document names, each with the engine's name for it."""

    names: Mapping[str, str]

    def item(self, given: Any) -> Any:
        """What the engine is handed for a vendor's event: an item, or the refusal of a field the document lacks.

        What is no object at all is handed on as it is, for the engine to refuse.
        """
        if not isinstance(given, dict):
            return given
        unknown = next((name for name in given if name not in self.names), None)
        if unknown is not None:
            reason = f"'{shown(unknown)}' is not a field; fields are {', '.join(sorted(self.names))}"
            return Rejection(0, "unknown_field", reason, shown(unknown), event_of(given))
        return {self.names[name]: value for name, value in given.items()}

    def reason(self, refused: Rejection) -> str:
        """Why an item was refused, in the vendor's words."""
        match refused.code:
            case "name_missing":
                return "Missing required field: event"
            case "timestamp_missing":
                return "Missing required field: timestamp"
            case "no_person":
                ids = [given for given, name in self.names.items() if name in _IDS]
                return f"Missing required field: {' or '.join(ids)}"
        for given, name in self.names.items():
            if given != name and refused.reason.startswith(name):
                return given + refused.reason.removeprefix(name)
        return refused.reason

    def errors(self, refused: Iterable[Rejection]) -> list[dict[str, Any]]:
        """The refused items of a batch: ``[{"index", "event", "reason"}]``."""
        return [{"index": one.index, "event": _sendable(one.event), "reason": self.reason(one)} for one in refused]


def _sendable(name: str | None) -> str | None:
    """A name as it was sent, but for halves of characters, which no answer can hold."""
    return None if name is None else name.encode(errors="backslashreplace").decode()
