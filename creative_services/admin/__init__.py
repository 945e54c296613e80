"""The Django admin of this app. Importing it registers the pages with the project's default admin site."""

from creative_services.admin.llms import LlmsAdmin

__all__ = ["LlmsAdmin"]
