"""What people, or whoever fills in their forms, would have as an address, a subject, a name."""

from __future__ import annotations

ADDRESSES = [
    "", " ", "@", "ann", "ann@", "@example.com", "ann@example", "ann@@example.com", "ann@example.com ",
    " ann@example.com", "ann@example.com\n", "ann@example.com\r\nBcc: eve@evil.example",
    "ann@example.com\nBcc: eve@evil.example", "ann@example.com\rBcc: eve@evil.example",
    "ann@example.com%0aBcc:eve@evil.example", "ann%0a@example.com", "ann%0d%0aRCPT TO:<eve@evil.example>@example.com",
    "ann\u2028eve@example.com", "ann@example.com\u2029eve@evil.example", "ann@example.com\x85eve@evil.example",
    "ann@example.com\x0beve@evil.example", "ann@example.com\x0ceve@evil.example", "ann\x00@example.com",
    "ann@example.com\x00", "ann@example.com\x00@evil.example", "\x00", "ann\t@example.com",
    "ann@example.com,eve@evil.example", "ann@example.com, eve@evil.example", "ann@example.com;eve@evil.example",
    "ann@example.com eve@evil.example", "ann eve@evil.example", '"ann"@example.com', '"a@b"@example.com',
    '"ann@example.com>\r\nRCPT TO:<eve@evil.example"@x.com', '"a b"@example.com', "ann(comment)@example.com",
    "ann@example.com(comment)", "(eve@evil.example)ann@example.com", "Ann <ann@example.com>", "<ann@example.com>",
    "ann@example.com>", "<ann@example.com", "ann@example.com> SIZE=1", "ann@example.com> NOTIFY=SUCCESS,FAILURE",
    "ann@example.com <eve@evil.example>", "eve@evil.example <ann@example.com>",
    "Friends: ann@example.com, eve@evil.example;", "undisclosed-recipients:;", "@evil.example:ann@example.com",
    "@evil.example,@b.example:ann@example.com", "ann%evil.example@example.com", "evil.example!ann@example.com",
    "ann@[127.0.0.1]", "ann@[IPv6:::1]", "ann@127.0.0.1", "ann@1.2", "ann@localhost", "ann@.example.com",
    "ann@example.com.", "ann@example..com", "ann@-example.com", "ann@example-.com", ".ann@example.com",
    "ann.@example.com", "an..n@example.com", "ann@exa_mple.com", "ann@exam ple.com", "|/bin/sh@example.com",
    "`id`@example.com", "\\@example.com", "ann\\@example.com", "ann@example.com\\r\\nBcc: x@y.zz",
    "mailto:ann@example.com", "ann@example.com?bcc=eve@evil.example", "ann@bücher.example", "änn@example.com",
    "ann@еxample.com", "ann＠example.com", "ann@example。com", "ann@example.com\u200b", "\ufeffann@example.com",
    "ann@example.com\u202e", "=?utf-8?q?eve=40evil.example?= <ann@example.com>", "=?utf-8?q?eve=40evil.example?=",
    "=?utf-8?b?ZXZlQGV2aWwuZXhhbXBsZQ==?=@example.com,", "ann@example.com\r\n.\r\nMAIL FROM:<eve@evil.example>",
    "a" * 65 + "@example.com", "a" * 10_000 + "@example.com", "ann@" + "b" * 64 + ".com", "ann@" + "b." * 200 + "com",
    "a@" * 500 + "example.com", "." * 5_000, "ann@example.com" + "," * 10_000, "\ud800@example.com",
]  # fmt: skip
"""None of these is one address and nothing else."""

TEXTS = [
    "x\r\nBcc: eve@evil.example", "x\nBcc: eve@evil.example", "x\rBcc: eve@evil.example", "x\r\n\r\n<script>",
    "x\x00y", "x\u2028Bcc: eve@evil.example", "x\u2029Bcc: eve@evil.example", "x\x85Bcc: eve@evil.example",
    "x\x0bBcc: e@v.il", "x\x0cBcc: eve@evil.example", "x\x1cBcc: eve@evil.example",
    "=?utf-8?q?x=0D=0ABcc=3A_eve=40evil=2Eexample?=", "=?utf-8?b?eA0KQmNjOiBldmVAZXZpbC5leGFtcGxl?=",
    "=?us-ascii?q?x=0ABcc:_eve=40evil.example?=", "x%0d%0aBcc: eve@e.vil", "x" * 2_000 + "\r\nBcc: eve@evil.example",
    "x\r\n.\r\nMAIL FROM:<eve@evil.example>", "\x1b]0;x\x07", "x\x7fy", "\u202egpj.exe", "\r\n", "\n\n\n",
    "x\r\n Bcc: eve@evil.example", "x\r\n\tBcc: eve@evil.example", "\ud800",
    "x\r\nContent-Type: text/html\r\n\r\n<b>",
    "--=_2c5375b45e358e0900bd8b1640a651e3\r\nContent-Type: text/html\r\n\r\nx",
]  # fmt: skip
"""These would be a header or a part of their own, if they could."""
