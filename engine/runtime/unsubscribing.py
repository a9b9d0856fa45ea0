"""Links that end a subscription: whom, by which channel and of which topic, hidden under the workspace's secret.

A token says of which workspace it is, by a digest of the name, and nothing else to anybody without the secret. The same
person, channel and topic give the same link, and it is good for as long as the person is there.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Final, Literal, NamedTuple

from ulid import ULID

from engine.clock import HOUR
from engine.delivery_settings import AnyChannel, EmailSettings, known_channels
from engine.language.program import MARKETING, TRANSACTIONAL
from engine.runtime import browsing, contacts
from engine.runtime.contacts import PersonRef
from engine.runtime.masking import Mask
from engine.runtime.pressure import EMAIL
from engine.store import Connection, people

PATH: Final = "/unsubscribe/{token}"
"""Where the service answers to links, whatever its dialects are."""

Choice = Literal["unsubscribed", "resubscribed"]
"""The event that says it."""

REPEATED: Final = HOUR
"""For how long the same choice is the same click, made again by a program or by somebody in doubt; microseconds."""

_CHOICES: Final[tuple[Choice, ...]] = ("unsubscribed", "resubscribed")
_MARK, _ID = 8, 16


class Subscription(NamedTuple):
    """What a link ends: a topic, by whichever channel, or without one all that a channel is used for.

    ``person`` is a public id, ``channel`` its name when the link was made.
    """

    person: bytes
    channel: str
    topic: str | None

    def fields(self, channels: Mapping[str, AnyChannel]) -> dict[str, object]:
        """Those of the event that ends it, with the ``channels`` of the settings.

        Mail is refused as a kind, by all channels of it: a channel's name may change, and the no must stay one. A name
        that no channel has any more is taken for one of mail, which is what links stand in.
        """
        if self.topic is not None:
            return {"topic": self.topic}
        of_mail = isinstance(channels.get(self.channel), EmailSettings)
        return {"channel": EMAIL if of_mail or self.channel not in known_channels(channels) else self.channel}


class Sent(NamedTuple):
    """An action that is to carry a link: the person's row, the channel's name, the rule's purpose."""

    person: int
    channel: str
    purpose: str


def links(connection: Connection, workspace: int, name: str, public_url: str, sent: Sequence[Sent]) -> list[str | None]:
    """The links of actions of a workspace; None for those nobody unsubscribes from. Two statements, however many."""
    mask = _mask(connection, workspace)
    ids = people.public_ids(connection, {one.person for one in sent})
    return [
        None
        if one.purpose == TRANSACTIONAL
        else _link(mask, name, public_url, Subscription(ids[one.person], one.channel, _topic(one.purpose)))
        for one in sent
    ]


def is_of(token: str, name: str) -> bool:
    """Whether a token says that it is of the workspace of a name."""
    return _bytes(token)[:_MARK] == _mark(name)


def read(connection: Connection, workspace: int, token: str) -> Subscription | None:
    """What a token of a workspace ends; None for one that was never made here."""
    packed = _mask(connection, workspace).show(_bytes(token)[_MARK:])
    if packed is None:
        return None
    channel, about, topic = packed[_ID:].decode().partition("\0")
    return Subscription(packed[:_ID], channel, topic if about else None)


def person(connection: Connection, workspace: int, subscription: Subscription) -> PersonRef | None:
    """Whose subscription it is, whoever they have become; nothing where they are gone."""
    return contacts.find(connection, workspace, str(ULID(subscription.person)), ())


def item(
    connection: Connection, workspace: int, about: dict[str, object], who: PersonRef, choice: Choice, now: int
) -> dict[str, object] | None:
    """The event that says a choice ``about`` what its fields name; nothing where that was said last, and just now.

    Its message id is made from what was said before: of several calls at once one counts, and whoever changes their
    mind is heard each time.
    """
    before = browsing.page(connection, workspace, str(ULID(who.id)), _CHOICES, None, None, 1, None).events
    since = now - REPEATED
    if any((one.event, one.properties) == (choice, about) and one.received_at > since for one in before):
        return None
    said = "\0".join([choice, *map(str, about.values()), *(one.id for one in before)])
    digest = blake2b(said.encode(), key=who.id, digest_size=16).hexdigest()
    return {"event": choice, **who.item(), "properties": about, "message_id": f"unsubscribe:{digest}"}


def _topic(purpose: str) -> str | None:
    return None if purpose == MARKETING else purpose


def _link(mask: Mask, name: str, public_url: str, subscription: Subscription) -> str:
    about = subscription.channel if subscription.topic is None else f"{subscription.channel}\0{subscription.topic}"
    token = _text(_mark(name) + mask.hide(subscription.person + about.encode()))
    return public_url.rstrip("/") + PATH.format(token=token)


def _mark(name: str) -> bytes:
    return blake2b(name.encode(), digest_size=_MARK, person=b"workspace").digest()


def _mask(connection: Connection, workspace: int) -> Mask:
    return Mask(connection, workspace, "unsubscribe")


def _text(sealed: bytes) -> str:
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def _bytes(token: str) -> bytes:
    """What a token is made of; nothing where it is not written as tokens are."""
    try:
        sealed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return b""
    return sealed if _text(sealed) == token else b""
