"""A database backend that is not SQLite to those who ask, so that the pool can be tried on every database."""
