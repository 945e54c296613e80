"""An API key as a row holds it: sealed, named by reference, or just typed; never shown."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from django.utils.translation import gettext as _

from creative_services.core.errors import ConfigurationError
from creative_services.core.secret import Secret
from creative_services.fields import vault

REFERENCE = "env:"
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True, repr=False)
class ApiKey:
    """One row's API key; `str()` and `repr()` show only what may be known of it.

    `content` is ciphertext (`cs1:…`), a reference (`env:NAME`), or, until the row is saved, the typed key. The
    ciphertext also holds the origin that the key was typed for, so that it cannot be sent elsewhere by editing
    the row around it.
    """

    content: Secret

    @classmethod
    def typed(cls, text: str) -> ApiKey:
        """The key or the reference that somebody entered. Raises ConfigurationError for what cannot be one."""
        text = text.strip()
        if text.startswith(REFERENCE) and not VARIABLE.fullmatch(text.removeprefix(REFERENCE)):
            raise ConfigurationError("A reference is written env:NAME, with the name of an environment variable.")
        # A line break in a key would come up in logs as a malformed header.
        if not text or not text.isascii() or not text.isprintable():
            raise ConfigurationError("An API key is one line of printable ASCII characters.")
        if text.startswith(vault.PREFIX):
            raise ConfigurationError("This is a key already encrypted. Enter the provider's key itself.")
        return cls(Secret(text))

    @property
    def is_sealed(self) -> bool:
        """Whether this is ciphertext."""
        return self.content.startswith(vault.PREFIX)

    @property
    def reference(self) -> str | None:
        """The environment variable that holds the key, if this is a reference."""
        return str(self.content.removeprefix(REFERENCE)) if self.content.startswith(REFERENCE) else None

    @property
    def is_current(self) -> bool:
        """Whether the first of the ENCRYPTION_KEYS opens it; a reference needs none."""
        return not self.is_sealed or vault.is_current(self.content)

    @property
    def hint(self) -> str:
        """What people may know of it, in their language."""
        if self.reference:
            return _("from %(variable)s") % {"variable": self.reference}
        try:
            key = self.reveal()
        except ConfigurationError:
            return _("cannot be decrypted")
        return _("set, ends in …%(end)s") % {"end": str(key)[-4:]} if len(key) >= 16 else _("set")

    @property
    def origin(self) -> str | None:
        """Where the key may go: `scheme://host:port` as it was typed for; None while it is unsealed.

        Raises UndecryptableKeyError.
        """
        return self._opened()[1] if self.is_sealed else None

    def reveal(self) -> Secret:
        """The key itself, which must only be sent to its `origin`.

        Raises UndecryptableKeyError, and ConfigurationError for a reference, which holds no key.
        """
        if self.reference:
            raise ConfigurationError(f"The key is kept in the environment variable {self.reference}.")
        return self._opened()[0] if self.is_sealed else self.content

    def sealed_for(self, origin: str) -> ApiKey:
        """This key as it is stored; a key already sealed keeps its origin, a reference stays as it is."""
        if self.is_sealed or self.reference:
            return self
        return _seal(self.content, origin)

    def resealed(self) -> ApiKey:
        """The same key for the same origin under the first of the ENCRYPTION_KEYS. Raises UndecryptableKeyError."""
        return _seal(*self._opened()) if self.is_sealed else self

    def _opened(self) -> tuple[Secret, str]:
        opened = json.loads(vault.decrypt(self.content))
        return Secret(opened["key"]), opened["origin"]

    def __str__(self) -> str:
        return self.hint

    def __repr__(self) -> str:
        return f"<ApiKey env:{self.reference}>" if self.reference else "<ApiKey ***>"

    def __deepcopy__(self, memo: dict[int, object]) -> ApiKey:
        return self

    def __getstate__(self) -> list[str]:
        if not self.is_sealed and not self.reference:
            raise ConfigurationError("An API key cannot be pickled before its row is saved.")
        return [str(self.content)]

    def __setstate__(self, state: list[str]) -> None:
        object.__setattr__(self, "content", Secret(state[0]))


def _seal(key: Secret, origin: str) -> ApiKey:
    return ApiKey(Secret(vault.encrypt(json.dumps({"key": str(key), "origin": origin}))))
