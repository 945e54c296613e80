"""The rows of this app."""

from creative_services.models.budgets import Budget, BudgetPeriod
from creative_services.models.calls import LlmCall
from creative_services.models.keys import MachineKey
from creative_services.models.llms import Llms
from creative_services.models.token import RegistryToken, touch_registry
from creative_services.models.totals import CallerDay, ClosedDay, DetailDay, LlmDay, Usage

__all__ = [
    "Budget",
    "BudgetPeriod",
    "CallerDay",
    "ClosedDay",
    "DetailDay",
    "LlmCall",
    "LlmDay",
    "Llms",
    "MachineKey",
    "RegistryToken",
    "Usage",
    "touch_registry",
]
