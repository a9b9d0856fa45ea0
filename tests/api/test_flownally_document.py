"""FlowNally's document, to the letter; docs/flownally.md says which statement is held by which test.

Answers are compared after this: ids become their prefix (before the 26 characters of a ULID; in the document a tenant's
has 25), except a contact's, which is answered as it was sent; ``nextPageToken`` and ``totalSize`` become what the
document prints, after a look at what they are. Times are not touched: the clock stands at the document's moments.
``NOT_AS_PRINTED`` lists what cannot be reproduced.
"""

from __future__ import annotations

import json
import re
from typing import Any

import httpx2
import pytest

from engine.access import Role, Scope
from tests.api import flownally_document as document
from tests.api.conftest import Api
from tests.api.flownally_document import CONTACT, ENDPOINTS, Printed

NOT_AS_PRINTED = {
    "{token}, {id}, {contactId}, {pageSize}, {pageToken}, {eventTypeId}": "placeholders: the tests fill them in",
    "https://api.flownally.com": "the vendor's host; the paths behind it are the same",
    '"nextPageToken": "string"': "a placeholder: it stands beside the only entry of a list",
    '"totalSize": 0': "a placeholder: it stands beside an entry that would make it 1",
    "the answer of PATCH": "ignores its request, which gives another name, description and schema",
    "tn_01HV8Y1N3QPY9X2HBQ1M9E8D0": "25 characters; a ULID has 26",
    "evt-type_01HV8ZA9Q4C2B5P6N7R8S9T0V1, evt_01HV8ZB8C3V5N6M7P8Q9R0S1T2": "the service gives ids of its own",
    "one event type in the list": "a workspace has the predefined ones too: the test asks for the page of the new one",
}

_ULID = "[0-7][0-9A-HJKMNP-TV-Z]{25}"
_IDS = re.compile(f'"(evt-type_|evt_|tn_){_ULID}"')
_DOCUMENTED_IDS = re.compile(r'"(evt-type_|evt_|tn_)[0-9A-Z]{25,26}"')


def printed(text: str) -> Any:
    """A printed answer with its ids made alike."""
    return json.loads(_DOCUMENTED_IDS.sub(r'"\1"', text))


def answered(answer: httpx2.Response) -> Any:
    """An answer with its ids made alike, and with the document's paging values."""
    assert answer.headers["content-type"] == "application/json"
    body = json.loads(_IDS.sub(r'"\1"', answer.text))
    if "totalSize" in body:
        assert (type(body["nextPageToken"]), type(body["totalSize"])) == (str, int)
        body |= {"nextPageToken": "string", "totalSize": 0}
    return body


def same(answer: httpx2.Response, endpoint: Printed) -> None:
    """An answer is the printed one: status, values, and the objects' fields in the printed order."""
    assert answer.status_code == endpoint.status, answer.text
    if endpoint.answer is None:
        assert answer.content == b""
        return
    body, expected = answered(answer), printed(endpoint.answer)
    assert body == expected
    assert list(body) == list(expected)
    for entries in (one for one in body if isinstance(body[one], list)):
        assert [list(one) for one in body[entries]] == [list(one) for one in expected[entries]]


def ask(api: Api, endpoint: Printed, query: str = "", **path: str) -> httpx2.Response:
    """The printed request, to the byte, its placeholders filled in."""
    return api.ask(endpoint.method, f"/flownally{endpoint.path.format(**path)}{query}", endpoint.body)


LIST_TYPES, CREATE_TYPE, GET_TYPE, UPDATE_TYPE, DELETE_TYPE = ENDPOINTS[:5]
LIST_EVENTS, CREATE_EVENT, GET_EVENT, LIST_OF_CONTACT, CREATE_FOR_CONTACT = ENDPOINTS[5:]


@pytest.fixture
def type_id(api: Api) -> str:
    """The document's event type, made at the document's moment by the document's request."""
    api.clock.set(document.TYPE_MADE_AT)
    id = ask(api, CREATE_TYPE).json()["id"]
    api.clock.set(document.EVENT_MADE_AT)
    return str(id)


def test_an_event_type_is_created(api: Api) -> None:
    api.clock.set(document.TYPE_MADE_AT)
    same(ask(api, CREATE_TYPE), CREATE_TYPE)


def test_an_event_type_is_read(api: Api, type_id: str) -> None:
    same(ask(api, GET_TYPE, id=type_id), GET_TYPE)


def test_event_types_are_listed(api: Api, type_id: str) -> None:
    first = ask(api, LIST_TYPES, "?pageSize=8").json()
    last = ask(api, LIST_TYPES, f"?pageSize=8&pageToken={first['nextPageToken']}")
    same(last, LIST_TYPES)
    assert (first["totalSize"], last.json()["totalSize"], last.json()["nextPageToken"]) == (9, 9, "")


def test_an_event_type_is_updated(api: Api, type_id: str) -> None:
    """Not as printed: the printed answer has the old name, description and schema."""
    answer = ask(api, UPDATE_TYPE, id=type_id)
    assert answer.status_code == UPDATE_TYPE.status
    changes = json.loads(document.EVENT_TYPE_PATCH)
    assert answered(answer) == {**printed(document.EVENT_TYPE), **changes, "updatedAt": document.EVENT_MADE_AT}
    assert list(answer.json()) == list(printed(document.EVENT_TYPE))


def test_an_event_type_is_deleted(api: Api, type_id: str) -> None:
    same(ask(api, DELETE_TYPE, id=type_id), DELETE_TYPE)
    assert ask(api, GET_TYPE, id=type_id).status_code == 404


def test_an_event_is_created(api: Api, type_id: str) -> None:
    answer = ask(api, CREATE_EVENT)
    same(answer, CREATE_EVENT)
    assert answer.json()["eventTypeId"] == type_id
    assert ask(api, CREATE_EVENT).status_code == 409


def test_an_event_is_created_for_a_contact(api: Api, type_id: str) -> None:
    answer = ask(api, CREATE_FOR_CONTACT, contactId=CONTACT)
    same(answer, CREATE_FOR_CONTACT)
    assert answer.json()["eventTypeId"] == type_id
    assert ask(api, CREATE_FOR_CONTACT, contactId=CONTACT).status_code == 409


def test_an_event_is_read(api: Api, type_id: str) -> None:
    made = ask(api, CREATE_EVENT).json()
    answer = ask(api, GET_EVENT, id=made["id"])
    same(answer, GET_EVENT)
    assert answer.json() == made


@pytest.mark.parametrize("filtered", [False, True])
def test_events_are_listed(api: Api, type_id: str, filtered: bool) -> None:
    made = ask(api, CREATE_EVENT).json()
    query = f"?pageSize=10&pageToken=&eventTypeId={type_id if filtered else ''}"
    for answer, endpoint in [
        (ask(api, LIST_EVENTS, query), LIST_EVENTS),
        (ask(api, LIST_OF_CONTACT, query, contactId=CONTACT), LIST_OF_CONTACT),
    ]:
        same(answer, endpoint)
        assert answer.json() == {"events": [made], "nextPageToken": "", "totalSize": 1}


def test_there_are_ten_endpoints_each_with_its_scope_and_open_to_all_roles(api: Api, type_id: str) -> None:
    assert len(ENDPOINTS) == 10
    for role in Role:
        key = api.make_key(role=role)
        path = {"id": type_id, "contactId": CONTACT}
        for endpoint in ENDPOINTS:
            url = f"/flownally{endpoint.path.format(**path)}"
            allowed = api.ask(endpoint.method, url, endpoint.body, key=key)
            assert allowed.status_code not in (401, 403), (role, endpoint)
    for endpoint in ENDPOINTS:
        url = f"/flownally{endpoint.path.format(id='x', contactId=CONTACT)}"
        without = api.make_key(*set(Scope) - {Scope(endpoint.scope)})
        answer = api.ask(endpoint.method, url, endpoint.body, key=without)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


def test_the_paths_may_stand_at_the_root(make_api: Any) -> None:
    api = make_api(api={"root": "flownally"})
    api.clock.set(document.TYPE_MADE_AT)
    same(api.post("/v1/event-types", document.EVENT_TYPE_BODY), CREATE_TYPE)
