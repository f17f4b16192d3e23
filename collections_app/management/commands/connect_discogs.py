"""manage.py connect_discogs: connect a user to Discogs with a personal access token."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from collections_app.accounts.users import find_user
from collections_app.connections.connect import ConnectRefused, connect_with_token


class Command(BaseCommand):
    help = "Connect a user to Discogs with a personal access token, read from standard input."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", help="the user's name on this site, or their email address")
        # Never an argument: arguments are visible to every user of the machine.
        parser.add_argument(
            "--token-stdin", action="store_true", required=True, help="read the token from stdin"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        user = find_user(options["username"])
        if user is None:
            raise CommandError(f"There is no user named {options['username']!r}.", returncode=2)
        try:
            connection = connect_with_token(user, sys.stdin.readline(), now=timezone.now())
        except ConnectRefused as error:
            raise CommandError(str(error)) from None
        self.stdout.write(
            f"{user} is connected as {connection.discogs_username}. "
            f"Next: manage.py import_collection --user {user} --wait"
        )
