"""The umask of the site's processes."""

# Files are for their owner only: the database, its -wal and its -shm contain session keys. Child processes inherit it.
PRIVATE = 0o077
