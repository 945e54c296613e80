"""The Django admin of this app. Importing it registers the pages with the project's default admin site."""

from creative_services.admin.budgets import BudgetAdmin
from creative_services.admin.calls import LlmCallAdmin
from creative_services.admin.llms import LlmsAdmin
from creative_services.admin.machine_keys import MachineKeyAdmin
from creative_services.admin.usage import UsageAdmin

__all__ = ["BudgetAdmin", "LlmCallAdmin", "LlmsAdmin", "MachineKeyAdmin", "UsageAdmin"]
