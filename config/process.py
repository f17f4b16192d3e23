"""What this process is for. An entry point says so before the settings are read."""

serves_pages = False  # pages give up on a database that does not answer; workers and commands wait
