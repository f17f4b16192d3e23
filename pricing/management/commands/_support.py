"""Shared by the commands: finding a user, parsing durations, and running workers during one command."""

import re
import subprocess
import sys
from argparse import ArgumentTypeError
from datetime import timedelta
from typing import Self, TextIO

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.core.management.base import CommandError
from django.utils import timezone

from collections_app.accounts.users import find_user
from pricing.monitoring.metrics import running_supervisors

USAGE = 2  # exit status
UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def user_named(name: str) -> AbstractBaseUser:
    """The user with this name or email address. Raises CommandError (exit 2) if there is none."""
    user: AbstractBaseUser | None = find_user(name)
    if user is None:
        raise CommandError(f"There is no user named {name!r}. Sign up on the site first.", returncode=USAGE)
    return user


def span(text: str) -> timedelta:
    """An argument such as 90s, 30m, 6h or 2d; a bare number is seconds."""
    match = re.fullmatch(r"(\d{1,9})([smhd]?)", text.strip())
    if not match:
        raise ArgumentTypeError(f"{text!r} is not a duration; write 30m, 6h or 2d")
    return timedelta(seconds=int(match[1]) * UNITS[match[2]])


class Workers:
    """Ensures that workers run while a command waits: existing ones, or its own."""

    def __init__(self, output: TextIO) -> None:
        self._output = output
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()

    def ensure(self) -> None:
        """Start workers if none were seen recently; those that ran may have stopped while the command waited."""
        if self._process is not None and self._process.poll() is None:
            return
        if running_supervisors(now=timezone.now()):
            return
        self._output.write("No workers are running; starting some for this command.\n")
        self._process = subprocess.Popen(
            [sys.executable, str(settings.BASE_DIR / "manage.py"), "run_workers"], stdout=subprocess.DEVNULL
        )
