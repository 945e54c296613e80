"""A project's own user model: known by mail addresses, with UUIDs for primary keys."""
