"""The model field of an API key, which is encrypted at rest, and the rules for the endpoint beside it."""

from creative_services.fields.exact import ExactCharField
from creative_services.fields.forms import ApiKeyFormField, ApiKeyInput
from creative_services.fields.key import ApiKey
from creative_services.fields.key_field import ApiKeyField

__all__ = ["ApiKey", "ApiKeyField", "ApiKeyFormField", "ApiKeyInput", "ExactCharField"]
