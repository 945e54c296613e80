"""The OpenAPI schema of the tests' project, as drf-spectacular makes it."""

from django.test import override_settings
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.settings import patched_settings

VERSIONS = ("3.0.3", "3.1.0")


def schema_of(version=VERSIONS[-1]):
    """The schema in this version of OpenAPI."""
    rest_framework = {"DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema"}
    with override_settings(REST_FRAMEWORK=rest_framework), patched_settings({"OAS_VERSION": version}):
        return SchemaGenerator().get_schema(request=None, public=True)


def operations(schema):
    """Each operation, with its path and method."""
    return [(path, method, item) for path, methods in schema["paths"].items() for method, item in methods.items()]
