"""Who may read the files that the site writes."""

# The owner and no one else. The database, its -wal and its -shm hold session keys; child processes inherit this.
PRIVATE = 0o077
