"""The role of this process, set by the entry point before the settings are read."""

serves_pages = False  # if the database does not answer, pages give up; workers and commands wait
