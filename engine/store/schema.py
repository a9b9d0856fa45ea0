"""The tables. Every one has ``workspace_id``, and every natural key starts with it.

Moments are integers: microseconds since 1970, UTC. Booleans are the integers 0 and 1. JSON is text.

What is *not* here is as deliberate: events and attribute changes carry no foreign keys, because their ids were
read or written in the very same transaction and the checks would cost a tenth of an insert; idempotency keys are
not in the events table, because a random text key is the dearest index there is.
"""

from __future__ import annotations

from sqlalchemy import Index, PrimaryKeyConstraint, Table, UniqueConstraint, literal_column

from engine.store.columns import KEYED, STRICT, key, metadata, octets, partial, refers, some, text, whole, workspace

workspaces = Table(
    "workspaces",
    metadata,
    key(),
    workspace(),  # its own id, so that what holds for every table holds for this one
    octets("public_id"),
    text("name"),
    whole("created_at"),
    UniqueConstraint("public_id"),
    UniqueConstraint("name"),
    **STRICT,
)

api_keys = Table(
    "api_keys",
    metadata,
    key(),
    workspace(),
    octets("public_id"),
    octets("digest"),  # of the secret, which is kept nowhere
    text("name", null=True),
    text("role", null=True),  # owner, admin, agent
    text("scopes"),  # JSON list, beside what the role grants
    whole("created_at"),
    whole("expires_at", null=True),
    whole("revoked_at", null=True),
    whole("last_used_at", null=True),  # to about a minute
    UniqueConstraint("workspace_id", "public_id"),
    Index("ix_api_keys_public_id", "public_id"),
    **STRICT,
)

people = Table(
    "people",
    metadata,
    key(),
    workspace(),
    octets("public_id"),
    whole("first_seen", null=True),  # the earliest time of any event or attribute; null until there is one
    whole("first_arrived"),  # when the first of them came in
    whole("merged_into", null=True),  # the person this one turned out to be, followed to the end
    whole("erased_at", null=True),
    whole("created_at"),
    UniqueConstraint("workspace_id", "public_id"),
    **STRICT,
)
partial("ix_people_merged_into", people.c.merged_into, people.c.merged_into)

identifiers = Table(
    "identifiers",
    metadata,
    workspace(),
    text("kind"),  # user, anonymous, contact
    text("value"),
    refers("person_id", "people.id"),
    whole("linked_at"),
    PrimaryKeyConstraint("workspace_id", "kind", "value"),
    Index("ix_identifiers_person_id", "person_id"),
    **KEYED,
)

event_types = Table(
    "event_types",
    metadata,
    key(),
    workspace(),
    octets("public_id"),
    text("name"),
    text("description", null=True),
    text("schema", null=True),  # JSON Schema of the properties
    whole("predefined"),
    whole("created_at"),
    whole("updated_at", null=True),  # null: not since it was made
    UniqueConstraint("workspace_id", "public_id"),
    UniqueConstraint("workspace_id", "name"),
    Index("ix_event_types_name", "name"),
    **STRICT,
)

events = Table(
    "events",
    metadata,
    key(),
    workspace(),
    octets("public_id"),
    whole("person_id"),
    whole("type_id"),
    whole("at"),
    whole("received_at"),
    text("source"),  # api, file, action
    whole("historical"),  # came too late to start anything
    text("message_id", null=True),
    text("cause", null=True),  # JSON list of the rules that led to it
    text("properties"),
    UniqueConstraint("workspace_id", "public_id"),
    Index("ix_events_timeline", "person_id", "at", "type_id"),
    Index("ix_events_by_name", "workspace_id", "type_id", "at"),
    Index("ix_events_by_time", "workspace_id", "at", "type_id"),
    **STRICT,
)
some(
    "ix_events_arrivals", events.c.source != literal_column("'action'"),
    events.c.workspace_id, events.c.type_id, events.c.id, events.c.source,
)  # fmt: skip

attribute_changes = Table(
    "attribute_changes",
    metadata,
    key(),
    workspace(),
    octets("public_id"),
    whole("person_id"),
    whole("at"),
    whole("received_at"),
    text("source"),
    whole("historical"),
    whole("known"),  # it came with a user id
    text("cause", null=True),
    text("properties"),  # JSON object: attribute to new value; or what an event said of consent, as a list
    text("message_id", null=True),
    text("email", null=True),  # what it sets the attribute to, in small letters
    whole("place", default="0"),  # of the `set` it comes from among its rule's steps, from 1 on
    whole("page", default="0"),  # it came with a key that may stand in web pages
    Index("ix_attribute_changes_timeline", "person_id", "at"),
    **STRICT,
)
some(
    "ix_attribute_changes_email", attribute_changes.c.email.is_not(None),
    attribute_changes.c.workspace_id, attribute_changes.c.email, attribute_changes.c.person_id,
)  # fmt: skip

idempotency = Table(
    "idempotency",
    metadata,
    workspace(),
    text("namespace"),  # message, or the door whose header it came through
    text("key"),
    octets("digest"),  # of what came with it, to tell a repeat from a conflict
    octets("public_id"),  # of the event that holds it
    whole("expires_at", null=True),  # null: as long as the event is kept
    PrimaryKeyConstraint("workspace_id", "namespace", "key"),
    **KEYED,
)
partial("ix_idempotency_expires_at", idempotency.c.expires_at, idempotency.c.expires_at)
some("ix_idempotency_doors", idempotency.c.namespace != literal_column("'message'"), idempotency.c.public_id)

answers = Table(
    "answers",
    metadata,
    workspace(),
    text("namespace"),  # the door and route the key came through
    text("key"),
    octets("digest"),  # of what came with it
    text("outcomes"),  # JSON: what became of each item of the first call
    whole("person_id", null=True),  # whose all its events are; null: several people's, or nobody's
    whole("expires_at"),
    PrimaryKeyConstraint("workspace_id", "namespace", "key"),
    Index("ix_answers_expires_at", "expires_at"),
    **STRICT,
)
partial("ix_answers_person_id", answers.c.person_id, answers.c.person_id)

quarantine = Table(
    "quarantine",
    metadata,
    key(),
    workspace(),
    octets("public_id"),
    whole("received_at"),
    text("source"),
    text("code"),  # why it was refused
    text("reason"),
    text("field", null=True),
    text("event", null=True),
    text("user_id", null=True),
    text("anonymous_id", null=True),
    text("contact_id", null=True),
    text("body"),  # JSON, as it came
    text("previous_id", null=True),
    whole("size", default="0"),  # bytes of the body
    UniqueConstraint("workspace_id", "public_id"),
    Index("ix_quarantine_size", "workspace_id", "id", "size"),
    **STRICT,
)

rules = Table(
    "rules",
    metadata,
    key(),
    workspace(),
    text("rule_id"),
    text("version"),  # digest of the version that is live
    text("opening"),  # digest of its trigger and opening Conditions
    whole("live_at", null=True),  # first loaded under this id; null: before everything
    whole("opened_at", null=True),  # its opening last changed
    whole("removed_at", null=True),
    text("pauses"),  # JSON list of [from, to or null]
    whole("worked_to", null=True),  # schedule occurrences up to here have been worked through
    UniqueConstraint("workspace_id", "rule_id"),
    **STRICT,
)

rule_versions = Table(
    "rule_versions",
    metadata,
    workspace(),
    refers("rule", "rules.id"),
    text("digest"),
    text("text"),  # canonical
    whole("loaded_at"),
    PrimaryKeyConstraint("workspace_id", "rule", "digest"),
    **STRICT,
)

journeys = Table(
    "journeys",
    metadata,
    key(),
    workspace(),
    refers("rule", "rules.id"),
    text("version"),  # digest of the rule's version it runs on
    whole("person_id"),
    text("value"),  # of For each; else empty
    text("trigger_key"),  # the trigger event's public id in hex; empty for a moment
    whole("first_at"),  # its first trigger, before restarts moved it
    whole("start"),
    whole("decided_at"),  # the latest moment anything was decided
    whole("due_at", null=True),  # when it may go on without another event
    whole("ended_at", null=True),  # null: it waits
    text("reason", null=True),
    whole("acted_at", null=True),  # its first action left
    whole("left_at", null=True),  # its last action that left
    whole("held_out"),
    whole("goal_at", null=True),
    text("limit_values"),  # JSON list: the trigger's values of `Limit: once per`
    text("state"),  # the decision core's own, opaque here
    Index("ix_journeys_person", "person_id", "rule", "ended_at"),
    Index("ix_journeys_acted", "rule", "acted_at", "ended_at"),
    **STRICT,
)
partial("ix_journeys_due", journeys.c.due_at, journeys.c.workspace_id, journeys.c.due_at, journeys.c.person_id)
some("ix_journeys_waiting", journeys.c.ended_at.is_(None), journeys.c.rule, journeys.c.version)

set_aside = Table(
    "set_aside",
    metadata,
    workspace(),
    refers("rule", "rules.id"),
    whole("person_id"),
    whole("since"),  # the earliest instant of which something came to be known; beyond all time: only a look is owed
    whole("merged"),  # the person has become one with another
    PrimaryKeyConstraint("workspace_id", "rule", "person_id"),
    **KEYED,
)

faults = Table(
    "faults",  # pairs that are set aside because deciding them, or taking an action of theirs on, failed
    metadata,
    workspace(),
    refers("rule", "rules.id"),
    whole("person_id"),
    whole("action"),  # its row in the outbox; 0: the pair's decisions
    text("version"),  # digest of the rule's version
    text("stage"),  # decide, seal, claim, record
    text("error"),  # its kind and place
    whole("since"),  # the earliest instant of what has not been decided
    whole("merged"),  # the person has become one with another
    whole("failed_at"),  # for the first time
    whole("tries"),
    whole("next_at", null=True),  # when to try again; null while the rule is paused
    PrimaryKeyConstraint("workspace_id", "rule", "person_id", "action"),
    **KEYED,
)
partial("ix_faults_next_at", faults.c.next_at, faults.c.workspace_id, faults.c.next_at)

watches = Table(
    "watches",
    metadata,
    key(),
    workspace(),
    refers("rule", "rules.id"),
    whole("person_id"),
    whole("due_at", null=True),  # when to look at this person next
    whole("followed"),  # up to when the opening Conditions have been followed; -1: not yet
    text("state"),
    UniqueConstraint("workspace_id", "person_id", "rule"),
    Index("ix_watches_rule", "rule"),
    **STRICT,
)
partial("ix_watches_due", watches.c.due_at, watches.c.workspace_id, watches.c.due_at, watches.c.person_id)

outbox = Table(
    "outbox",
    metadata,
    key(),
    workspace(),
    text("key"),  # the same whatever version, merge or retry produced it
    whole("journey_id"),
    whole("rule"),
    whole("person_id"),
    text("step"),
    text("name"),
    text("template", null=True),
    whole("moment"),  # its step was reached
    whole("due_at"),  # earliest time to send, to send again, or at which a claim is over
    text("status"),  # held pending sending sent failed dead parked cancelled suppressed skipped_late
    text("reason", null=True),
    whole("attempts"),
    whole("left_at", null=True),  # handed to its channel for the first time
    text("error", null=True),  # of the last attempt
    text("causes"),  # JSON list of the rules that led to it
    text("variables"),  # JSON, frozen when it was decided
    whole("created_at"),
    text("purpose", default="marketing"),  # of its rule: marketing, transactional or a topic
    text("tags", default="[]"),  # JSON list: those of its rule
    text("channel", null=True),  # that took it up
    text("recipient", null=True),  # the address, where the channel has addresses
    octets("body", null=True),  # what it is sent as, the same bytes at every attempt
    text("sealed_as", null=True),  # the kind of channel that body is for
    whole("redriven_at", null=True),  # taken up again by hand: patience with its channel begins anew
    whole("ready_at", null=True),  # due_at while a sender may take it, else null; kept by the store
    UniqueConstraint("workspace_id", "key"),
    Index("ix_outbox_person_id", "person_id", "rule"),
    Index("ix_outbox_status", "workspace_id", "status", "rule"),
    **STRICT,
)
partial(
    "ix_outbox_ready", outbox.c.ready_at,
    outbox.c.workspace_id, outbox.c.name, outbox.c.ready_at, outbox.c.moment, outbox.c.person_id,
)  # fmt: skip
partial("ix_outbox_left", outbox.c.left_at, outbox.c.person_id, outbox.c.left_at)
partial("ix_outbox_sent", outbox.c.channel, outbox.c.rule, outbox.c.left_at)

switches = Table(
    "switches",  # what somebody, or something, has stopped until it is resumed; pauses of rules stand with the rules
    metadata,
    workspace(),
    text("kind"),  # all, channel; rule: why a rule is paused, where nobody did it by hand
    text("name"),  # empty for all
    whole("since"),
    text("reason"),
    PrimaryKeyConstraint("workspace_id", "kind", "name"),
    **KEYED,
)

rule_hours = Table(
    "rule_hours",  # how many journeys of a rule acted for the first time, by the hour
    metadata,
    workspace(),
    refers("rule", "rules.id"),
    whole("hour"),  # since 1970
    whole("acted"),
    PrimaryKeyConstraint("workspace_id", "rule", "hour"),
    **KEYED,
)

unreachable = Table(
    "unreachable",  # addresses that take no mail any more
    metadata,
    workspace(),
    text("kind"),  # of channel: email
    text("digest"),  # of the address, in hex
    whole("at"),
    text("reason"),
    PrimaryKeyConstraint("workspace_id", "kind", "digest"),
    **KEYED,
)

imports = Table(
    "imports",
    metadata,
    key(),
    workspace(),
    octets("public_id"),
    text("kind"),  # csv, jsonl
    text("mapping"),  # JSON: the file's own name of a field, by field
    whole("historical"),
    whole("created_at"),
    whole("updated_at"),
    whole("completed_at", null=True),
    whole("received"),  # bytes of the file that have come
    whole("settled"),  # bytes that are done with
    octets("waiting"),  # what lies between the two, of which the end has not come
    whole("line"),  # the one that begins there
    text("header", null=True),  # of CSV
    whole("stored"),
    whole("duplicates"),
    whole("conflicts"),
    whole("rejected"),
    text("rejections"),  # JSON list of the first of them
    UniqueConstraint("workspace_id", "public_id"),
    **STRICT,
)

import_lines = Table(
    "import_lines",  # of imports that are not complete
    metadata,
    workspace(),
    refers("import_id", "imports.id"),
    whole("digest"),
    whole("times"),  # how often it stood in the file so far
    PrimaryKeyConstraint("workspace_id", "import_id", "digest"),
    **KEYED,
)

counters = Table(
    "counters",
    metadata,
    workspace(),
    whole("rule"),
    text("name"),  # absorbed, missing_field, self_caused, ...
    whole("value"),
    PrimaryKeyConstraint("workspace_id", "rule", "name"),
    **KEYED,
)

operations = Table(
    "operations",  # what changes many rows and is carried out page by page; it has taken effect as a whole already
    metadata,
    key(),
    workspace(),
    text("kind"),  # pause, resume, remove, move, seed, erase, history
    whole("subject"),  # the row of its rule or person; 0: the workspace
    whole("since"),  # when it took effect
    whole("ready_at"),  # when its pages may follow
    whole("stage"),  # which of its kinds of rows is under way
    text("place"),  # JSON: behind which row the next page begins
    text("tally"),  # JSON object: how many rows of each kind it has changed
    whole("ended_at", null=True),  # null: pages are still to follow
    **STRICT,
)
some("ix_operations_under_way", operations.c.ended_at.is_(None), operations.c.workspace_id, operations.c.ready_at)

meta = Table(
    "meta",
    metadata,
    workspace(),
    text("key"),
    text("value"),
    PrimaryKeyConstraint("workspace_id", "key"),
    **KEYED,
)

tombstones = Table(
    "tombstones",
    metadata,
    workspace(),
    text("digest"),  # of an erased person's id, in hex
    whole("until"),
    PrimaryKeyConstraint("workspace_id", "digest"),
    Index("ix_tombstones_until", "until"),
    **KEYED,
)
