"""Encryption of API keys: the first key encrypts, all keys decrypt."""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from creative_services.conf import app_settings
from creative_services.core.errors import ConfigurationError
from creative_services.core.secret import Secret

PREFIX = "cs1:"
"""Marks our ciphertext, so that neither plain text nor another version's can pass for it."""


class BadEncryptionKeyError(ConfigurationError):
    """A value of ENCRYPTION_KEYS that is no Fernet key."""


class UndecryptableKeyError(ConfigurationError):
    """A stored key that none of the encryption keys opens."""


def encrypt(text: Secret) -> str:
    """`text` as it may be stored."""
    return PREFIX + _fernets()[0].encrypt(text.encode()).decode()


def decrypt(stored: str) -> Secret:
    """What was encrypted. Raises UndecryptableKeyError, which never shows what was stored."""
    if stored.startswith(PREFIX):
        try:
            return Secret(MultiFernet(_fernets()).decrypt(stored[len(PREFIX) :]).decode())
        except InvalidToken:
            pass
    raise UndecryptableKeyError("The stored key cannot be decrypted: enter it again, or restore its ENCRYPTION_KEYS.")


def is_current(stored: str) -> bool:
    """Whether the first encryption key opens it, so that no rotation is due."""
    try:
        _fernets()[0].decrypt(stored.removeprefix(PREFIX))
    except InvalidToken:
        return False
    return stored.startswith(PREFIX)


def _fernets() -> list[Fernet]:
    # Derived keys stay able to decrypt, so that a project can move to keys of its own and then rotate.
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return [*own_fernets(), *(Fernet(_derived(secret)) for secret in secrets)]


def own_fernets() -> list[Fernet]:
    """Those of the setting ENCRYPTION_KEYS. Raises BadEncryptionKeyError."""
    try:
        return [Fernet(key) for key in app_settings.encryption_keys]
    except ValueError:
        msg = "settings.CREATIVE_SERVICES: ENCRYPTION_KEYS holds a value that is no Fernet key."
        raise BadEncryptionKeyError(msg) from None


def _derived(secret: str | bytes) -> bytes:
    material = secret if isinstance(secret, bytes) else secret.encode()
    key = HKDF(SHA256(), length=32, salt=None, info=b"creative_services api_key").derive(material)
    return base64.urlsafe_b64encode(key)
