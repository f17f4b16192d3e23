"""The permissions of files that the site writes."""

# Owner only. The database, its -wal and its -shm hold session keys; child processes inherit this.
PRIVATE = 0o077
