"""`usage/`, with an example."""

from __future__ import annotations

from typing import Any

from creative_services.adapters.usage import GROUPS
from creative_services.adapters.usage_query import CHOICES
from creative_services.adapters.usage_table import SUMS
from creative_services.api.schema.faults import OWN_ERRORS
from creative_services.api.schema.operations import LOOKING, Operation, describe
from creative_services.api.schema.shapes import DOLLARS, INTEGER, STRING, Shape, array, nullable, open_object
from creative_services.api.usage import CSV, FORMATS

DAY = {"type": "string", "format": "date"}
COUNTS: dict[str, Any] = {name: DOLLARS if name == "cost" else nullable(INTEGER) for name in SUMS}
SUMS_OF_ONE: dict[str, Any] = {name: "0.0000063" if name == "cost" else 1 for name in SUMS}
SUMMED = Shape("LlmUsageSums", open_object(COUNTS, tuple(SUMS)))
GROUP = Shape("LlmUsageGroup", open_object(COUNTS, tuple(SUMS)))
USAGE = Shape(
    "LlmUsage",
    open_object(
        {"from": DAY, "to": DAY, "time_zone": STRING, "by": array(STRING), "groups": array(GROUP), "total": SUMMED},
        ("from", "to", "time_zone", "by", "groups", "total"),
        "What calls came to, in groups that have the names of `by` beside their sums.",
    ),
)

describe(
    "creative_services.api.usage.UsageView",
    "get",
    Operation(
        name="llm_usage",
        summary="Calls, tokens and US dollars in groups",
        about="One's own usage; staff see everybody's. Usually the last thirty days, by day.",
        gives=USAGE,
        example={
            "from": "2026-11-01",
            "to": "2026-11-30",
            "time_zone": "UTC",
            "by": ["day"],
            "groups": [{"day": "2026-11-22", **SUMS_OF_ONE}],
            "total": SUMS_OF_ONE,
        },
        also={CSV: "day,calls\n2026-11-22,1\n"},
        query={
            "from": DAY,
            "to": DAY,
            "by": {"type": "string", "description": f"One or two of {', '.join(GROUPS)}, with a comma between them."},
            **{name: {"type": "string", "enum": [value for value, _ in known]} for name, known in CHOICES.items()},
            "llm": {"type": "string", "description": "The id of an LLM."},
            "user": {"type": "string", "description": "The id of a user; for staff only, unless it is one's own."},
            "machine_key": {"type": "string", "description": "The id of a machine key."},
            "format": {"type": "string", "enum": list(FORMATS)},
        },
        errors=OWN_ERRORS,
        statuses=(400, *LOOKING),
    ),
)
