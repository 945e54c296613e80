"""An API key as a row holds it: sealed, named by reference, or just typed; never shown."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.utils.translation import gettext as _

from creative_services.core.errors import ConfigurationError
from creative_services.core.secret import Secret
from creative_services.fields import vault

REFERENCE = "env:"
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


# Four of the methods are Python's own.
@dataclass(frozen=True, slots=True, repr=False)
class ApiKey:
    """One row's API key; `str()` and `repr()` show only what may be known of it.

    `content` is ciphertext (`cs1:…`), a reference (`env:NAME`), or, until the row is saved, the typed key. The
    ciphertext also holds the origin that the key was typed for, so that it cannot be sent elsewhere by editing
    the row around it. Whatever else a database holds does not decrypt.
    """

    content: Secret
    is_typed: bool = False

    @classmethod
    def typed(cls, text: Secret) -> ApiKey:
        """The key or the reference that somebody entered. Raises ConfigurationError for what cannot be one."""
        # Masked at once, so that no debug page shows it among a frame's variables.
        text = Secret(text.strip())
        if text.startswith(REFERENCE) and not VARIABLE.fullmatch(text.removeprefix(REFERENCE)):
            raise ConfigurationError("A reference is written env:NAME, with the name of an environment variable.")
        # A line break in a key would come up in logs as a malformed header.
        if not text or not text.isascii() or not text.isprintable():
            raise ConfigurationError("An API key is one line of printable ASCII characters.")
        if text.startswith(vault.PREFIX):
            raise ConfigurationError("This is a key already encrypted. Enter the provider's key itself.")
        return cls(text, is_typed=not text.startswith(REFERENCE))

    @property
    def reference(self) -> str | None:
        """The environment variable that holds the key, if this is a reference."""
        return str(self.content.removeprefix(REFERENCE)) if self.content.startswith(REFERENCE) else None

    @property
    def is_current(self) -> bool:
        """Whether the first of the ENCRYPTION_KEYS opens it; a reference needs none."""
        return self.reference is not None or vault.is_current(self.content)

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
        """Where the key may go, `scheme://host:port`; None for a reference, and until the row is saved.

        Raises UndecryptableKeyError.
        """
        return None if self.is_typed or self.reference else self._opened()[1]

    def reveal(self) -> Secret:
        """The key itself, which must only be sent to its `origin`.

        Raises UndecryptableKeyError, and ConfigurationError for a reference, which holds no key.
        """
        if self.reference:
            raise ConfigurationError(f"The key is kept in the environment variable {self.reference}.")
        return self.content if self.is_typed else self._opened()[0]

    def sealed_for(self, origin: str) -> ApiKey:
        """A typed key as it is stored; a key already sealed keeps its origin, a reference stays as it is."""
        return _seal(self.content, origin) if self.is_typed else self

    def resealed(self) -> ApiKey:
        """The same key for the same origin under the first of the ENCRYPTION_KEYS. Raises UndecryptableKeyError."""
        return self if self.is_typed or self.reference else _seal(*self._opened())

    def _opened(self) -> tuple[Secret, str]:
        key, _line_end, origin = vault.decrypt(self.content).partition("\n")
        return Secret(key), origin

    def __str__(self) -> str:
        return self.hint

    def __repr__(self) -> str:
        return f"<ApiKey env:{self.reference}>" if self.reference else "<ApiKey ***>"

    def __deepcopy__(self, memo: dict[int, object]) -> ApiKey:
        return self

    def __reduce__(self) -> tuple[type[ApiKey], tuple[Secret]]:
        if self.is_typed:
            raise ConfigurationError("An API key cannot be pickled before its row is saved.")
        return ApiKey, (self.content,)


def _seal(key: Secret, origin: str) -> ApiKey:
    # Secret all the way: debug pages and error mails print what the frames hold.
    return ApiKey(Secret(vault.encrypt(Secret(f"{key}\n{origin}"))))
