"""The matrix's rows of Segment: each call under its name and under its letter."""

from __future__ import annotations

from tests.api.matrix import SECRET, row

MESSAGE = {"event": "signed_up", "userId": SECRET, "previousId": "before"}

ROWS = [
    *(row("POST", f"/v1/{path}", "event:create", body={"batch": [MESSAGE]}) for path in ("batch", "b")),
    *(
        row("POST", f"/v1/{path}", "event:create", body=MESSAGE)
        for path in ("track", "identify", "page", "screen", "group", "alias", *"tipsga")
    ),
]
