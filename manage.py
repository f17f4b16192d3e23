#!/usr/bin/env python
"""Run a management command of the site."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from config.umask import PRIVATE


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.umask(PRIVATE)
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        # The sentence names the setting and what to write; a traceback would bury it.
        sys.exit(f"Cannot start: {error}")


if __name__ == "__main__":
    main()
