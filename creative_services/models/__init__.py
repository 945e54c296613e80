"""The rows of this app."""

from creative_services.models.budgets import Budget, BudgetPeriod
from creative_services.models.calls import LlmCall
from creative_services.models.keys import MachineKey
from creative_services.models.llms import Llms
from creative_services.models.token import RegistryToken, touch_registry

__all__ = ["Budget", "BudgetPeriod", "LlmCall", "Llms", "MachineKey", "RegistryToken", "touch_registry"]
