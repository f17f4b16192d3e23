#!/usr/bin/env python
"""Run a management command of the site."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from config import process
from config.umask import PRIVATE

WEB_COMMANDS = {"run_web", "runserver"}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.umask(PRIVATE)
    process.serves_pages = not WEB_COMMANDS.isdisjoint(sys.argv[1:2])
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        # The sentence names the setting and what to write; a traceback would hide it.
        sys.exit(f"Cannot start: {error}")


if __name__ == "__main__":
    main()
