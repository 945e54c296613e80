"""The Redis that tests may use: CI has one; elsewhere its tests are skipped."""

import socket
from uuid import uuid4

import pytest

ADDRESS = ("127.0.0.1", 6379)


def is_there() -> bool:
    try:
        socket.create_connection(ADDRESS, timeout=1).close()
    except OSError:
        return False
    return True


needs_redis = pytest.mark.skipif(not is_there(), reason="No Redis listens on 127.0.0.1:6379.")


def redis_caches(prefix=None, port=ADDRESS[1]):
    """CACHES over this server, with keys that no other test has."""
    backend = "django.core.cache.backends.redis.RedisCache"
    location = f"redis://{ADDRESS[0]}:{port}"
    return {"default": {"BACKEND": backend, "LOCATION": location, "KEY_PREFIX": prefix or f"test-{uuid4()}"}}
