"""The role of this process, set by the entry point before the settings are read."""

serves_pages = False  # pages give up if the database does not answer; workers and commands wait
