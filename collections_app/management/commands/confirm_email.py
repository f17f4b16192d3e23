"""manage.py confirm_email: set the confirmed address of a user."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email

from collections_app.accounts.users import confirm_address, find_user


class Command(BaseCommand):
    help = "Set a user's confirmed email address without a code. It replaces the old one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", help="user name or email address")
        parser.add_argument("address", help="the new email address")

    def handle(self, *args: Any, **options: Any) -> None:
        user, address = find_user(options["user"]), options["address"]
        if user is None:
            raise CommandError(f"There is no user named {options['user']!r}.", returncode=2)
        try:
            validate_email(address)
        except ValidationError:
            raise CommandError(f"{address!r} is not an email address.", returncode=2) from None
        if not confirm_address(user, address):
            raise CommandError(f"{address} belongs to another account. Nothing was changed.")
        self.stdout.write(f"{address.lower()} is the confirmed address of {user}.")
