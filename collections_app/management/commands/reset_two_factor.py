"""manage.py reset_two_factor: remove the two-factor login of a user who lost authenticator and recovery codes."""

from argparse import ArgumentParser
from typing import Any

from allauth.mfa.models import Authenticator
from django.core.management.base import BaseCommand, CommandError

from collections_app.accounts.sessions import end_sessions_of
from collections_app.accounts.users import find_user


class Command(BaseCommand):
    help = "Remove a user's authenticator and recovery codes, and end their sessions. The password is kept."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", help="user name or email address")

    def handle(self, *args: Any, **options: Any) -> None:
        user = find_user(options["user"])
        if user is None:
            raise CommandError(f"There is no user named {options['user']!r}.", returncode=2)
        removed, _ = Authenticator.objects.filter(user_id=user.pk).delete()
        end_sessions_of(user)
        outcome = "was removed, and all sessions have ended" if removed else "was not set up"
        self.stdout.write(f"The two-factor login of {user} {outcome}.")
