"""What FloKit's three documents print: requests to the byte, and the answers they show.

The bodies of shell commands are what stands between the quotes of ``-d``; those of the TypeScript examples are what
``JSON.stringify`` makes of them. ``SINGLE`` is the document on single events, ``REFERENCE`` the reference, ``BATCH``
the one on batches.
"""

from __future__ import annotations

from typing import Final

SINGLE_BOTH_IDS: Final = b"""{
    "event": "paywall_viewed",
    "user_id": "usr_abc123",
    "anonymous_id": "anon_xyz789",
    "timestamp": "2024-03-15T14:22:00Z",
    "properties": {
      "paywall_id": "pw_annual_v3",
      "offer_id": "offer_intro_50pct",
      "context": "onboarding_step_3"
    }
  }"""

SINGLE_WITH_KEY: Final = b"""{
    "event": "subscription_started",
    "user_id": "usr_abc123",
    "timestamp": "2024-03-15T14:25:00Z",
    "properties": {
      "plan_id": "plan_annual_usd",
      "revenue": 49.99,
      "currency": "USD",
      "transaction_id": "txn_3OZ..."
    }
  }"""

REFERENCE_PAYWALL: Final = b"""{
      "event": "paywall_viewed",
      "user_id": "usr_abc123",
      "timestamp": "2024-03-15T14:22:00Z",
      "properties": {
        "paywall_id": "pw_annual_v3",
        "offer_id": "offer_intro_50pct",
        "plan_ids": ["plan_annual_usd", "plan_monthly_usd"],
        "context": "onboarding_step_3"
      }
    }"""

REFERENCE_SUBSCRIPTION: Final = b"""{
      "event": "subscription_started",
      "user_id": "usr_abc123",
      "timestamp": "2024-03-22T14:22:00Z",
      "properties": {
        "plan_id": "plan_annual_usd",
        "revenue": 49.99,
        "currency": "USD",
        "transaction_id": "txn_3OZ9kL2eZvKYlo2C0FL1nGdU",
        "trial_converted": true,
        "paywall_id": "pw_annual_v3",
        "store": "apple"
      }
    }"""

REFERENCE_BATCH: Final = b"""{
      "events": [
        {
          "event": "paywall_viewed",
          "user_id": "usr_abc123",
          "timestamp": "2024-03-15T14:20:00Z",
          "properties": {
            "paywall_id": "pw_annual_v3",
            "context": "onboarding_step_3"
          }
        },
        {
          "event": "trial_started",
          "user_id": "usr_abc123",
          "timestamp": "2024-03-15T14:22:00Z",
          "properties": {
            "plan_id": "plan_annual_usd",
            "trial_length_days": 7
          }
        }
      ]
    }"""

BATCH: Final = b"""{
    "events": [
      {
        "event": "paywall_viewed",
        "user_id": "usr_abc123",
        "timestamp": "2024-03-15T14:20:00Z",
        "properties": {
          "paywall_id": "pw_annual_v3",
          "context": "onboarding_step_3"
        }
      },
      {
        "event": "trial_started",
        "user_id": "usr_abc123",
        "timestamp": "2024-03-15T14:22:00Z",
        "properties": {
          "plan_id": "plan_annual_usd",
          "trial_length_days": 7,
          "paywall_id": "pw_annual_v3"
        }
      },
      {
        "event": "subscription_started",
        "user_id": "usr_abc123",
        "timestamp": "2024-03-22T14:22:00Z",
        "properties": {
          "plan_id": "plan_annual_usd",
          "revenue": 49.99,
          "currency": "USD",
          "transaction_id": "txn_3OZ9kL2eZvKYlo2C0FL1nGdU",
          "trial_converted": true,
          "store": "apple"
        }
      }
    ]
  }"""

IDEMPOTENCY_KEY: Final = "usr_abc123-subscription_started-2024-03-15"

REFERENCE_TYPESCRIPT: Final = (
    b'{"event":"subscription_started","user_id":"usr_abc123","timestamp":"%s","properties":{'
    b'"plan_id":"plan_annual_usd","revenue":49.99,"currency":"USD",'
    b'"transaction_id":"txn_3OZ9kL2eZvKYlo2C0FL1nGdU","trial_converted":true,"paywall_id":"pw_annual_v3",'
    b'"store":"apple"}}'
)
"""Its timestamp is a placeholder: ``new Date().toISOString()``."""

REFERENCE_TYPESCRIPT_BATCH: Final = (
    b'{"events":[{"event":"paywall_viewed","user_id":"usr_abc123","timestamp":"2024-03-15T14:20:00Z",'
    b'"properties":{"paywall_id":"pw_annual_v3","context":"onboarding_step_3"}},{"event":"trial_started",'
    b'"user_id":"usr_abc123","timestamp":"2024-03-15T14:22:00Z","properties":{"plan_id":"plan_annual_usd",'
    b'"trial_length_days":7}}]}'
)

ANSWER: Final = """{
  "status": "ok",
  "event_id": "evt_01hx4j7k9m2n3p5q6r8s"
}"""

REFERENCE_BATCH_ANSWER: Final = """{
  "status": "ok",
  "accepted": 2,
  "rejected": 0,
  "event_ids": [
    "evt_01hx4j7k9m2n3p5q6r8s",
    "evt_01hx4j7k9m2n3p5q6r9t"
  ],
  "errors": []
}"""

BATCH_ANSWER: Final = """{
  "status": "ok",
  "accepted": 3,
  "rejected": 0,
  "event_ids": [
    "evt_01hx4j7k9m2n3p5q6r8s",
    "evt_01hx4j7k9m2n3p5q6r9t",
    "evt_01hx4j7k9m2n3p5q6r0u"
  ],
  "errors": []
}"""

PARTIAL_ANSWER: Final = """{
  "status": "ok",
  "accepted": 2,
  "rejected": 1,
  "event_ids": [
    "evt_01hx4j7k9m2n3p5q6r8s",
    "evt_01hx4j7k9m2n3p5q6r9t"
  ],
  "errors": [
    {
      "index": 2,
      "event": "subscription_started",
      "reason": "Missing required field: currency"
    }
  ]
}"""
