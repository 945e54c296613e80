"""What the app tells of calls and their money. Receivers' errors are logged and go no further.

`llm_call_finished(sender=LlmCall, call)`: an attempt was settled; `call` is its row.
`budget_warning(sender=Budget, budget, limit, percent, resets_at)`: what the budget of this name has spent passes its
mark, so many per cent of the limit in US dollars; once in each period.
`budget_exceeded(sender=Budget, budget, is_hard, resets_at, planned)`: a hard budget has refused a call, or one passes
although it may exceed a soft one; `planned` is the PlannedAttempt.
"""

from __future__ import annotations

from django.dispatch import Signal

llm_call_finished = Signal()
budget_warning = Signal()
budget_exceeded = Signal()
