"""What the app tells of calls and their money. Receivers' errors are logged and go no further.

`llm_call_finished(sender=LlmCall, call)`: an attempt's row was settled; `call` is the row.
`budget_warning(sender=Budget, budget, spent, limit, resets_at)`: a budget's name, and the US dollars with which it
passed its mark; once in each period.
`budget_exceeded(sender=Budget, budget, is_hard, limit, resets_at, planned)`: a call was refused by a hard budget, or
passes although it may exceed a soft one; `planned` is the PlannedAttempt.
"""

from __future__ import annotations

from django.dispatch import Signal

llm_call_finished = Signal()
budget_warning = Signal()
budget_exceeded = Signal()
