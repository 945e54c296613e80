"""Settings of the servers that the clients talk to: those of the tests, and one user who has asked too often."""

from tests.settings import *  # noqa: F403

REST_FRAMEWORK = {"DEFAULT_THROTTLE_CLASSES": ["tests.api.clients.throttling.NotHasty"]}
CREATIVE_SERVICES = {"ENDPOINTS_ALLOW_PRIVATE": True}
