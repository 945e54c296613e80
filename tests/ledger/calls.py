"""Rows of calls as the ledger would have left them, and a clock."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from unittest import mock
from uuid import uuid4

from creative_services.models import LlmCall

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
"""A Friday. The project's days are in UTC where tests use this."""


def values(**fields: Any) -> dict[str, Any]:
    started = fields.get("started_at", NOON)
    return {
        "request_id": uuid4(),
        "llm_name": "GPT",
        "provider": "openai",
        "model": "gpt-5",
        "tier": "standard",
        "started_at": started,
        "finished_at": started + timedelta(seconds=2),
        "expires_at": started + timedelta(seconds=180),
        "latency_seconds": 2.0,
        "outcome": "ok",
        "input_tokens": 1000,
        "output_tokens": 100,
        "cost": Decimal("0.002"),
    } | fields


def call(**fields: Any) -> LlmCall:
    row: LlmCall = LlmCall.objects.create(**values(**fields))
    return row


@contextmanager
def at(moment: datetime):
    """It is this moment, within."""
    with mock.patch("django.utils.timezone.now", return_value=moment):
        yield
