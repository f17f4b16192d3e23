"""Django's PostgreSQL backend, with a timeout for a server that does not answer."""
