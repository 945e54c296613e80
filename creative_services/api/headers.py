"""What the headers of an answer, and of an error, say of the call behind it."""

from __future__ import annotations

from string import ascii_letters, digits, punctuation
from typing import TYPE_CHECKING
from urllib.parse import quote

from creative_services.api.bodies import dollars

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

_PLAIN = (ascii_letters + digits + punctuation + " ").replace("%", "")


def call_headers(
    request_id: str | None, llm_name: str | None, attempts: int, cost: Decimal | None = None
) -> dict[str, str]:
    """`x-request-id`, `x-llm-attempts`, and as far as they are known `x-llm-name` and `x-llm-cost` (US dollars).

    A name is percent-encoded where it is not printable ASCII, as in URLs.
    """
    headers = {"x-llm-attempts": str(attempts)}
    if request_id is not None:
        headers["x-request-id"] = request_id
    if llm_name is not None:
        headers["x-llm-name"] = quote(llm_name.strip(), safe=_PLAIN)
    if (told := dollars(cost)) is not None:
        headers["x-llm-cost"] = told
    return headers


def budget_headers(exceeded: Iterable[str]) -> dict[str, str]:
    """`x-llm-budget-warning`, the names of the soft budgets that the call may exceed, if there are any."""
    names = ", ".join(quote(name.strip(), safe=_PLAIN) for name in exceeded)
    return {"x-llm-budget-warning": names} if names else {}
