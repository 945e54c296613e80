"""Model fields of this app: API keys that are encrypted at rest, and endpoints that are checked when saved."""

from creative_services.fields.endpoint import EndpointField
from creative_services.fields.forms import ApiKeyFormField, ApiKeyInput
from creative_services.fields.key import ApiKey
from creative_services.fields.key_field import ApiKeyField

__all__ = ["ApiKey", "ApiKeyField", "ApiKeyFormField", "ApiKeyInput", "EndpointField"]
