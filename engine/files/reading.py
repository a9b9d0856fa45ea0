"""How the records of a file become events: the options of an import, and the presets of vendors' exports.

A *record* is an object of a JSON line or a row of CSV. A reading has one or more *shapes*; the first one whose ``when``
a record meets says which of its paths are fields of an event or of an identify, and what becomes of the rest. Without
a preset there is one shape: the record's own names are the fields.

A *path* is a name, or names joined by dots that lead into objects; a name that has dots itself goes before its parts.
"""

from __future__ import annotations

import tomllib
import zoneinfo
from collections.abc import Iterable
from enum import StrEnum
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from engine.errors import InputFileError, did_you_mean

IDS: Final = ("user_id", "anonymous_id", "contact_id", "previous_id", "message_id")
ALL_FIELDS: Final = ("type", "event", *IDS, "timestamp")
"""What an event or an identify says beside its properties or traits."""

BODIES: Final = ("properties", "traits")

MAPPABLE: Final = (*ALL_FIELDS, *BODIES)
"""Fields that an import can take from another column or key, or hold constant."""

SUFFIX: Final = ".toml"


class TimeUnit(StrEnum):
    """What a timestamp that is a number counts, since 1970 UTC."""

    SECONDS = "seconds"
    MILLISECONDS = "milliseconds"
    MICROSECONDS = "microseconds"

    @property
    def micros(self) -> int:
        """One of it, in microseconds."""
        return {"seconds": 1_000_000, "milliseconds": 1_000, "microseconds": 1}[self.value]


class Unknown(StrEnum):
    """What becomes of the keys and columns of a record that are no field."""

    REFUSE = "refuse"
    IGNORE = "ignore"
    FOLD = "fold"


Kind = Literal["jsonl", "csv"]
"""What a file holds."""


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    @field_validator("unknown", "time_unit", mode="before", check_fields=False)
    @classmethod
    def _as_word(cls, value: Any, info: ValidationInfo) -> Any:
        words: type[StrEnum] = Unknown if info.field_name == "unknown" else TimeUnit
        return words(value) if isinstance(value, str) and value in set(words) else value

    @field_validator("fields", "constants", "map", check_fields=False)
    @classmethod
    def _known_fields(cls, value: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        known = MAPPABLE if info.field_name == "map" else ALL_FIELDS
        for name in value:
            if name not in known and not (known is MAPPABLE and _entry(name)):
                raise ValueError(f"unknown field '{name}'{near(name, known)}; fields are {', '.join(known)}")
        return value


class Shape(_Table):
    """One kind of record, and what it says."""

    kind: Literal["event", "identify", "skip"] | None = Field(
        None, description="What such a record is; left out, its own `type` says so. `skip` leaves it out, counted."
    )
    when: dict[str, bool | str | list[str]] = Field(
        {},
        description="By path: a text, one of several (`*` stands for any rest), or whether anything is there.",
    )
    fields: dict[str, str | list[str]] = Field(
        {}, description="By field, the path that holds it; of several the first with a value."
    )
    constants: dict[str, Any] = Field({}, description="Fields with the same value in every record that has none.")
    body: list[str] = Field(
        [],
        description="Paths of objects, or of JSON text, whose entries are properties or traits; the first has its way.",
    )
    extra: dict[str, str] = Field({}, description="Single properties or traits, each with the path that holds it.")
    drop: list[str] = Field([], description="Properties or traits to leave out; a `*` at the end stands for any rest.")
    unknown: Unknown = Field(Unknown.IGNORE, description="What becomes of top-level keys that nothing above names.")
    pairs: bool = Field(
        False, description="A body may be a list of objects with `key` and `value`, as BigQuery exports them."
    )
    snake_case: bool = Field(False, description="Write names of properties and traits like `lineitem_name`.")

    @property
    def paths(self) -> dict[str, tuple[str, ...]]:
        """Return the paths of each field, in the order in which they are tried."""
        return {name: (paths,) if isinstance(paths, str) else tuple(paths) for name, paths in self.fields.items()}


class Reading(_Table):
    """How a file is read. A preset file holds just these tables."""

    title: str = ""
    about: str = Field("", description="Where the vendor describes the export.")
    shapes: tuple[Shape, ...] = Field(
        (),
        description="Kinds of records; the first that fits is taken. Without any, records name the fields themselves.",
    )
    map: dict[str, str] = Field(
        {}, description="By field, the column or path that holds it; `properties.NAME` is a single one."
    )
    constants: dict[str, Any] = Field({}, description="Fields with the same value in every record that has none.")
    unknown: Unknown | None = Field(
        None, description="What becomes of other keys and columns; unless said, CSV folds them and JSON refuses them."
    )
    time_unit: TimeUnit | None = Field(None, description="What a timestamp that is a number counts since 1970.")
    zone: str | None = Field(None, description="Whose clock a timestamp without an offset is by.")
    text: tuple[str, ...] = Field((), description="Columns of CSV whose cells stay text.")
    number: tuple[str, ...] = Field((), description="Columns of CSV whose cells are numbers, exponents and all.")
    decimal_comma: bool = Field(False, description="A cell such as 12,50 is a number.")

    @field_validator("shapes", "text", "number", mode="before")
    @classmethod
    def _as_tuple(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, value: str | None) -> str | None:
        if value is not None and value not in _zones():
            raise ValueError(f"unknown time zone '{value}'{near(value, _zones())}; use a name such as 'Europe/Warsaw'")
        return value

    def shapes_of(self, kind: Kind) -> list[Shape]:
        """Return the kinds of records that a file of ``kind`` may hold, in the order in which they are tried."""
        return [_overlaid(shape, self) for shape in self.shapes or _plain_shapes(self, kind)]

    @property
    def is_plain(self) -> bool:
        """Whether records of JSON are items as they are."""
        return self == Reading()

    @cached_property
    def clock(self) -> zoneinfo.ZoneInfo | None:
        """Return the zone of timestamps without an offset."""
        return None if self.zone is None else zoneinfo.ZoneInfo(self.zone)


def _plain_shapes(reading: Reading, kind: Kind) -> list[Shape]:
    """Return the shapes of records that name the fields themselves: people, and events.

    In CSV, a column ``type`` is a property like any other where it holds neither ``identify`` nor ``track``.
    """
    unknown = Unknown.FOLD if kind == "csv" else Unknown.REFUSE
    typed: dict[str, str | list[str]] = {name: name for name in ALL_FIELDS}
    untyped = {name: path for name, path in typed.items() if name != "type"}
    type_path = reading.map.get("type", "type")
    people = Shape(kind="identify", when={type_path: "identify"}, fields=typed, body=["traits"], unknown=unknown)
    if reading.constants.get("type") == "identify":
        return [people.model_copy(update={"when": {}})]
    events = Shape(kind="event", fields=typed, body=["properties"], unknown=unknown)
    if kind == "jsonl":
        return [people, events]
    return [
        people,
        events.model_copy(update={"when": {type_path: "track"}}),
        events.model_copy(update={"fields": untyped}),
    ]


def _overlaid(shape: Shape, reading: Reading) -> Shape:
    """Return a shape with what holds for all shapes of a reading.

    A mapped path goes before those of a preset, and behind a field that a record without a preset names itself.
    """
    fields: dict[str, str | list[str]] = dict(shape.fields)
    for name in set(ALL_FIELDS).intersection(reading.map):
        own = shape.paths.get(name, ())
        fields[name] = [reading.map[name], *own] if reading.shapes else [*own, reading.map[name]]
    entries = {_entry(name): path for name, path in reading.map.items() if _entry(name)}
    return shape.model_copy(
        update={
            "fields": fields,
            "constants": {**shape.constants, **reading.constants},
            "body": [*shape.body, *(path for name, path in reading.map.items() if name in BODIES)],
            "extra": {**shape.extra, **entries},
            "unknown": shape.unknown if reading.unknown is None else reading.unknown,
        }
    )


def preset_names() -> list[str]:
    """Return the names of the presets that come with Lapse."""
    return sorted(file.name.removesuffix(SUFFIX) for file in _folder().iterdir() if file.name.endswith(SUFFIX))


def build_reading(preset: str | None = None, **options: Any) -> Reading:
    """Return how to read a file: a preset, or records that name the fields, with options over it.

    ``options`` are fields of :class:`Reading`; empty ones say nothing. Raises InputFileError for an unknown preset or
    an invalid option.
    """
    base = load_preset(preset) if preset else Reading()
    given = {name: value for name, value in options.items() if value}
    tables = {name: {**getattr(base, name), **given[name]} for name in ("map", "constants") if name in given}
    written = {name: getattr(base, name) for name in base.model_fields_set}
    try:
        return Reading.model_validate({**written, **given, **tables})
    except ValidationError as error:
        first = error.errors()[0]
        raise InputFileError(f"{first['loc'][0]}: {first['msg'].removeprefix('Value error, ')}") from None


def load_preset(name: str) -> Reading:
    """Return the preset of a name, or of a path that ends in ``.toml``.

    Raises InputFileError where there is none, or it is not a preset.
    """
    if name.endswith(SUFFIX):
        try:
            text = Path(name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputFileError(f"preset {name} cannot be read: {error}") from None
    elif name in preset_names():
        text = (_folder() / (name + SUFFIX)).read_text(encoding="utf-8")
    else:
        names = preset_names()
        raise InputFileError(
            f"unknown preset '{name}'{near(name, names)}; use {', '.join(names)}, or a file that ends in {SUFFIX}"
        )
    return read_preset(text, name)


def read_preset(text: str, name: str) -> Reading:
    """Return the reading that ``text``, TOML, describes. Raises InputFileError."""
    try:
        reading = Reading.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise InputFileError(f"preset {name} is not TOML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(step) for step in first["loc"])
        reason = first["msg"].removeprefix("Value error, ")
        if first["type"] == "extra_forbidden":
            tables = Shape.model_fields if place.startswith("shapes") else Reading.model_fields
            reason = f"unknown key{near(str(first['loc'][-1]), tables)}"
        raise InputFileError(f"preset {name}: {place}: {reason}") from None
    if not reading.shapes:
        raise InputFileError(f"preset {name}: it has no [[shapes]], so it reads nothing")
    return reading


def _entry(name: str) -> str:
    """Return the property or trait that a name such as ``properties.plan`` means, or nothing."""
    body, _, entry = name.partition(".")
    return entry if body in BODIES else ""


def near(word: str, known: Iterable[str]) -> str:
    """Return a suggestion to go behind an unknown word, or nothing."""
    advice = did_you_mean(word, known)
    return f"; {advice}" if advice else ""


def _folder() -> Any:
    return resources.files("engine.files") / "presets"


def _zones() -> set[str]:
    return zoneinfo.available_timezones()
