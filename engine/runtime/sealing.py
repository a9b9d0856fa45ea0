"""What actions are sent as: made from what was frozen when they were decided, before they are claimed.

Nothing here writes. An action of which nothing can be made is known as such before it counts as one that leaves.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from engine.delivery.channels import Outgoing, Sealing, SendError
from engine.delivery.routing import Route, Routes
from engine.delivery.sender import outgoing
from engine.delivery.templates import Templates
from engine.pseudonyms import LogNames
from engine.runtime.faults import keep
from engine.runtime.live import Live
from engine.runtime.masking import pseudonym_key
from engine.runtime.naming import rule_ids
from engine.runtime.pressure import foreign_address
from engine.runtime.unsubscribing import Sent, links
from engine.store import Connection, people
from engine.store.rows import OutboxRow


class Job(NamedTuple):
    """An action that may leave, with its way out; ``fault`` is why nothing can be made of it.

    ``fresh``: what it is sent as has just been made.
    """

    row: OutboxRow
    action: Outgoing
    route: Route
    fresh: bool = False
    fault: SendError | None = None

    @property
    def seal(self) -> tuple[int, bytes, str | None, str] | None:
        """What is to be kept of what was made: its row, the bytes, the address, the kind of channel they are for."""
        sealed = self.action.sealed if self.fresh else None
        return None if sealed is None else (self.row.id, sealed.body, sealed.recipient, self.route.kind)


class Sealer:
    """Makes what the actions of a workspace are sent as. ``public_url`` is where the service is served, if it is.

    With ``log_ids`` logs name people by their ids.
    """

    def __init__(
        self,
        workspace: int,
        name: str,
        public_url: str | None,
        routes: Routes,
        templates: Templates,
        log_ids: bool = False,
    ) -> None:
        self._workspace = workspace
        self._name = name
        self._public_url = public_url
        self._routes = routes
        self._templates = templates
        self._log_names = LogNames(plain=True) if log_ids else None

    def jobs(
        self, connection: Connection, live: Live, rows: Sequence[OutboxRow], failed: dict[int, Exception]
    ) -> list[Job]:
        """Actions with all that is known of them; those that cannot be read have ``failed``, by row.

        A constant number of statements.
        """
        names = people.names(connection, {row.person_id for row in rows})
        called = rule_ids(connection, self._workspace, live, {row.rule for row in rows})
        routes = [self._routes.of(row.name) for row in rows]
        urls = self._unsubscribe_urls(connection, rows, routes, failed)
        logged = self._logged(connection)
        jobs = []
        for row, route in zip(rows, routes, strict=True):
            try:
                person = names[row.person_id]
                action = outgoing(_once_more(row), called[row.rule], person, urls.get(row.id), logged)
                jobs.append(Job(row, action, route))
            except Exception as error:  # noqa: BLE001 - whatever it is, it is this action's
                keep(failed, row.id, error)
        return [job for job in jobs if job.row.id not in failed]

    def all_sealed(self, jobs: Iterable[Job], failed: dict[int, Exception]) -> list[Job]:
        """Jobs with what they are sent as; those that cannot be sealed have ``failed``, by row."""
        made = []
        for job in jobs:
            try:
                made.append(self.sealed(job))
            except Exception as error:  # noqa: BLE001 - whatever it is, it is this action's
                keep(failed, job.row.id, error)
        return made

    def _logged(self, connection: Connection) -> LogNames:
        """How the log names people of the workspace."""
        if self._log_names is None:
            self._log_names = LogNames(pseudonym_key(connection, self._workspace))
        return self._log_names

    def sealed(self, job: Job) -> Job:
        """The job with what it is sent as; by the same kind of channel that is what it was sent as before."""
        channel = job.route.channel
        if _is_sealed(job.row, job.route) or not isinstance(channel, Sealing):
            return job
        try:
            message = self._templates.message(job.action)
            sealed = channel.seal(replace(job.action, message=message))
        except SendError as fault:
            return job._replace(fault=fault)
        return job._replace(action=replace(job.action, sealed=sealed), fresh=True)

    def _unsubscribe_urls(
        self,
        connection: Connection,
        rows: Sequence[OutboxRow],
        routes: Sequence[Route],
        failed: dict[int, Exception],
    ) -> dict[int, str | None]:
        """Where people unsubscribe from what is about to be sealed, where the service is served."""
        if self._public_url is None:
            return {}
        unsealed = []
        for row, route in zip(rows, routes, strict=True):
            try:
                if not _is_sealed(row, route) and foreign_address(row) is None:
                    unsealed.append((row, route.name))
            except Exception as error:  # noqa: BLE001 - whatever it is, it is this action's
                keep(failed, row.id, error)
        sent = [Sent(row.person_id, channel, row.purpose) for row, channel in unsealed]
        found = links(connection, self._workspace, self._name, self._public_url, sent)
        return {row.id: link for (row, _), link in zip(unsealed, found, strict=True)}


def _once_more(row: OutboxRow) -> OutboxRow:
    """As it will be when it is claimed."""
    return row._replace(attempts=row.attempts + 1)


def _is_sealed(row: OutboxRow, route: Route) -> bool:
    """Whether the bytes are there, for this kind of channel."""
    return row.body is not None and row.sealed_as == route.kind
