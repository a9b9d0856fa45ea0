"""Keys of the HTTP service: made, listed, revoked, and recognised.

A key's text is ``lapse_``, its public id, ``_`` and its secret. The store has the id and a digest of the secret, which
is 40 characters of chance: there is nothing to guess, so one fast digest is enough.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import string
import threading
from collections.abc import Iterable
from typing import Final, NamedTuple

from ulid import ULID

from engine.access import Key, Role, Scope, granted
from engine.clock import MINUTE, SECOND
from engine.runtime.desk import Desk
from engine.runtime.intake import public_ids
from engine.store import keys
from engine.store.keys import KeyRow

FRESH: Final = SECOND
"""How long a key that was read is believed, microseconds: a key revoked by another process is refused after that."""

NOTED_EVERY: Final = MINUTE
"""A key's last use is noted again after this long, microseconds."""

REMEMBERED: Final = 10_000
"""Keys remembered at a time, good or not."""

_ALPHABET: Final = string.ascii_letters + string.digits
_SECRET_LENGTH: Final = 40
_FORM: Final = re.compile(r"lapse_([0-7][0-9a-hjkmnp-tv-z]{25})_([A-Za-z0-9]{40})", re.ASCII)
_NO_DIGEST: Final = bytes(32)


class _Seen(NamedTuple):
    """A key as it was read, and who comes in with it; None where there is no such key."""

    row: KeyRow | None
    key: Key | None
    at: int


class Keyring:
    """The keys of all workspaces of a store. Safe to use from any thread."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._seen: dict[str, _Seen] = {}
        """By the id as it is in a key's text."""
        self._used: dict[int, int] = {}
        self._noted: dict[int, int] = {}
        self._guard = threading.Lock()

    def create(
        self,
        workspace: int,
        now: int,
        *,
        role: Role | None = None,
        scopes: Iterable[Scope] = (),
        name: str | None = None,
        expires_at: int | None = None,
    ) -> tuple[KeyRow, str]:
        """A new key and its text, which nobody can get again."""
        (public_id,) = public_ids(1, now)
        secret = "".join(secrets.choice(_ALPHABET) for _ in range(_SECRET_LENGTH))
        listed = json.dumps(sorted(scopes))
        row = KeyRow(0, workspace, public_id, _digest(secret), name, role, listed, now, expires_at)
        added = self._desk.writer.run(lambda connection: keys.insert(connection, row))
        self._forget(public_id)
        return added, f"lapse_{str(ULID(public_id)).lower()}_{secret}"

    def of_workspace(self, workspace: int) -> list[KeyRow]:
        """All keys of a workspace, oldest first, revoked ones too. Their last use is as of the last flush."""
        with self._desk.store.read() as connection:
            return keys.of_workspace(connection, workspace)

    def any_usable(self, now: int) -> bool:
        """Whether there is a key of any workspace that would be let in now."""
        with self._desk.store.read() as connection:
            return keys.any_usable(connection, now)

    def revoke(self, workspace: int, public_id: bytes, now: int) -> bool:
        """Take a key of this workspace out of use for good. False when there is none that was in use."""
        revoked = self._desk.writer.run(lambda connection: keys.revoke(connection, workspace, public_id, now))
        self._forget(public_id)
        return revoked

    # ---------------------------------------------------------------------------------------- recognising

    def knows(self, text: str, now: int) -> bool:
        """Whether :meth:`recognise` would answer without reading the store."""
        form = _FORM.fullmatch(text)
        return form is None or self._fresh(form[1], now) is not None

    def recognise(self, text: str, now: int) -> Key | None:
        """The key of a text, if it is one, in use, and not expired. Takes as long for a wrong secret as for none."""
        form = _FORM.fullmatch(text)
        if form is None:
            return None
        row, key, _ = self._fresh(form[1], now) or self._read(form[1], now)
        same = hmac.compare_digest(_digest(form[2]), row.digest if row is not None else _NO_DIGEST)
        if row is None or not same or row.revoked_at is not None or _over(row, now):
            return None
        self._note_use(row.id, now)
        return key

    def _fresh(self, id: str, now: int) -> _Seen | None:
        seen = self._seen.get(id)
        return seen if seen is not None and 0 <= now - seen.at < FRESH else None

    def _read(self, id: str, now: int) -> _Seen:
        with self._desk.store.read() as connection:
            row = keys.by_public_id(connection, ULID.from_str(id.upper()).bytes)
        seen = _Seen(row, None if row is None else _key(row), now)
        with self._guard:
            if len(self._seen) >= REMEMBERED:
                self._seen.clear()
            self._seen[id] = seen
        return seen

    def _forget(self, public_id: bytes) -> None:
        with self._guard:
            self._seen.pop(str(ULID(public_id)).lower(), None)

    def _note_use(self, row: int, now: int) -> None:
        if not 0 <= now - self._noted.get(row, -NOTED_EVERY) < NOTED_EVERY:
            with self._guard:
                self._noted[row] = self._used[row] = now

    def flush(self) -> None:
        """Write down when keys were last used; for whoever looks after the service, now and then and at its end."""
        with self._guard:
            used, self._used = self._used, {}
        if used:
            self._desk.writer.run(lambda connection: keys.note_used(connection, list(used.items())))


def _key(row: KeyRow) -> Key:
    role = Role(row.role) if row.role is not None else None
    allowed = granted(role, map(Scope, json.loads(row.scopes)))
    return Key(row.id, row.workspace_id, row.public_id, allowed, role, row.name)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _over(row: KeyRow, now: int) -> bool:
    return row.expires_at is not None and row.expires_at <= now
