"""Database routers that a project might have."""


class WritesElsewhere:
    """Reads from the default database, which stands for a replica here, and writes elsewhere."""

    def db_for_read(self, model, **hints):
        return "default"

    def db_for_write(self, model, **hints):
        return "elsewhere"
