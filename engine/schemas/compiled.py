"""A schema ready to check events with.

Which draft it is written in, ``$schema`` says; without it, it is draft 2020-12. ``format`` is checked. What a schema
does not mention passes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from engine.errors import BadSchema
from engine.schemas.bounds import within_bounds
from engine.schemas.settings import TYPE_SETTINGS, TypeSettings
from engine.schemas.wording import Problem, problem_of
from engine.strict_json import canonical, path_text, shown

_PATTERN_BYTES: Final = 1 << 20
"""Memory a compiled regular expression may take; one that repeats repetitions a thousand times is refused by it."""

_LONGEST_REASON: Final = 300


@dataclass(frozen=True, slots=True)
class Schema:
    """A compiled schema."""

    plain: dict[str, Any]
    """As it was given. Not to be changed."""
    _check: Callable[[dict[str, Any]], None]

    def problem(self, properties: dict[str, Any]) -> Problem | None:
        """The first thing in an event's properties, checked JSON, that breaks the schema; None when nothing does."""
        try:
            self._check(properties)
        except ValueError as error:
            return problem_of(error)
        return None


def compile_schema(schema: object, settings: TypeSettings = TYPE_SETTINGS) -> Schema:
    """A schema made ready. Raises BadSchema for what is none or is beyond the bounds of ``settings``."""
    return recompile(within_bounds(schema, settings))


def recompile(plain: dict[str, Any]) -> Schema:
    """A schema that was accepted once, made ready again whatever the bounds are by now."""
    import jsonschema_rs as library  # here, so that a command that checks no events starts without it

    try:
        validator = library.validator_for(
            plain,
            offline=True,
            validate_formats=True,
            pattern_options=library.RegexOptions(size_limit=_PATTERN_BYTES),
        )
    except library.ValidationError as error:
        raise BadSchema(f"the schema cannot be used: {_told(error)}") from None
    except ValueError as error:
        raise BadSchema(f"the schema cannot be used: {shown(str(error), _LONGEST_REASON)}") from None
    return Schema(plain, validator.validate)


def schema_text(schema: Schema) -> str:
    """A schema as it is stored; equal ones give equal text."""
    return canonical(schema.plain).decode()


def _told(error: Any) -> str:
    """What the library says of a schema, and where in it."""
    where = path_text(("schema", *error.instance_path))
    return f"{where}: {shown(error.message, _LONGEST_REASON)}"
