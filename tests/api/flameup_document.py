"""What Flameup's document prints: requests to the byte, and the answers it shows.

The bodies of shell commands are what stands between the quotes of ``-d``; those of the JavaScript examples are what
``JSON.stringify`` makes of them, those of the Python examples what ``requests`` does.
"""

from __future__ import annotations

from typing import Final

CURL: Final = b"""{
"external_id": "user_123",
"event": "purchase_completed",
"parameters": {
"order_id": "order_789",
"amount": 99.99,
"currency": "USD"
}
}"""

CURL_BATCH: Final = b"""{
"events": [
{"external_id": "user_123", "event": "page_viewed", "parameters": {"page": "/home"}},
{"external_id": "user_123", "event": "button_clicked", "parameters": {"button": "signup"}}
]
}"""

JAVASCRIPT: Final = [
    b'{"external_id":"user_123","event":"page_viewed","parameters":{"page":"/pricing","referrer":"/home"}}',
    (
        b'{"external_id":"user_123","event":"purchase_completed","parameters":{"order_id":"order_789",'
        b'"amount":99.99,"currency":"USD","items":[{"sku":"PROD-001","name":"Widget","quantity":2},{'
        b'"sku":"PROD-002","name":"Gadget","quantity":1}]}}'
    ),
    (b'{"external_id":"user_123","event":"feature_used","parameters":{"feature":"export_csv","duration_seconds":45}}'),
    (b'{"external_id":"user_123","event":"signed_up","parameters":{"method":"email","referral_code":"FRIEND50"}}'),
    b'{"external_id":"user_123","event":"logged_in","parameters":{"method":"password","device":"mobile"}}',
    (
        b'{"external_id":"user_123","event":"plan_upgraded","parameters":{"from_plan":"free",'
        b'"to_plan":"premium","annual":true}}'
    ),
    (
        b'{"external_id":"user_123","event":"subscription_cancelled","parameters":{"reason":"too_expensive",'
        b'"feedback":"Great product but over budget"}}'
    ),
    (
        b'{"external_id":"user_123","event":"product_viewed","parameters":{"product_id":"prod_001",'
        b'"name":"Premium Widget","price":49.99,"category":"widgets"}}'
    ),
    (
        b'{"external_id":"user_123","event":"cart_updated","parameters":{"action":"add",'
        b'"product_id":"prod_001","quantity":2,"cart_total":99.98}}'
    ),
    b'{"external_id":"user_123","event":"checkout_started","parameters":{"cart_items":3,"cart_total":149.97}}',
    (b'{"external_id":"user_123","event":"feature_used","parameters":{"feature":"export_pdf","duration_ms":2340}}'),
    (
        b'{"external_id":"user_123","event":"search_performed","parameters":{"query":"integration guide",'
        b'"results_count":15,"clicked_result":3}}'
    ),
    (
        b'{"external_id":"user_123","event":"file_uploaded","parameters":{"file_type":"csv",'
        b'"file_size_kb":1024,"rows_imported":5000}}'
    ),
    (
        b'{"external_id":"user_123","event":"report_generated","parameters":{"report_type":"monthly_summary",'
        b'"date_range":"2024-01","format":"pdf"}}'
    ),
    (
        b'{"external_id":"user_123","event":"email_opened","parameters":{"campaign_id":"camp_456",'
        b'"subject":"Your weekly digest"}}'
    ),
    (
        b'{"external_id":"user_123","event":"push_clicked","parameters":{"campaign_id":"camp_789",'
        b'"action":"view_order"}}'
    ),
    (b'{"external_id":"user_123","event":"nps_submitted","parameters":{"score":9,"feedback":"Love the product!"}}'),
    (
        b'{"external_id":"user_123","event":"support_ticket_created","parameters":{"ticket_id":"ticket_123",'
        b'"category":"billing","priority":"medium"}}'
    ),
]

PYTHON: Final = [
    (b'{"external_id": "user_123", "event": "page_viewed", "parameters": {"page": "/pricing", "referrer": "/home"}}'),
    (
        b'{"external_id": "user_123", "event": "purchase_completed", "parameters": {"order_id": "order_789",'
        b' "amount": 99.99, "currency": "USD", "items": [{"sku": "PROD-001", "name": "Widget", "quantity": 2},'
        b' {"sku": "PROD-002", "name": "Gadget", "quantity": 1}]}}'
    ),
]

JAVASCRIPT_BATCH: Final = (
    b'{"events":[{"external_id":"user_123","event":"page_viewed","parameters":{"page":"/home"}},{'
    b'"external_id":"user_123","event":"button_clicked","parameters":{"button":"signup"}},{'
    b'"external_id":"user_456","event":"purchase_completed","parameters":{"amount":99.99}}]}'
)

PYTHON_BATCH: Final = (
    b'{"events": [{"external_id": "user_123", "event": "page_viewed", "parameters": {"page": "/home"}}, {'
    b'"external_id": "user_123", "event": "button_clicked", "parameters": {"button": "signup"}}, {'
    b'"external_id": "user_456", "event": "purchase_completed", "parameters": {"amount": 99.99}}]}'
)

EVENT: Final = """{
"id": "evt_550e8400e29b41d4a716446655440000",
"workspace_id": "ws_abc123",
"person_id": "550e8400-e29b-41d4-a716-446655440000",
"event": "purchase_completed",
"parameters": {
"order_id": "order_789",
"amount": 99.99,
"currency": "USD",
"items": ["product_a", "product_b"]
},
"timestamp": "2024-01-15T10:30:00Z",
"created_at": "2024-01-15T10:30:01Z"
}"""

ANSWER: Final = """{
"success": true,
"event_id": "evt_550e8400e29b41d4a716446655440000"
}"""

CAMPAIGNS: Final = """# Welcome series
Trigger: signed_up
# Abandoned cart
Trigger: cart_updated
Condition: NOT purchase_completed within 24 hours
# Re-engagement
Trigger: None
Condition: NOT logged_in within 30 days
# Upsell
Trigger: feature_limit_reached
Condition: plan = 'free'
"""
