"""manage.py recompute_values: compute stored daily values again, and compare or replace them."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand
from django.utils import timezone

from pricing.daily.stored import Difference, differences, rebuild_values
from pricing.management.commands._support import user_named
from pricing.models import CollectionValue

MAX_SHOWN = 20  # differences of one user


class Command(BaseCommand):
    help = (
        "Compute every stored daily value again from copies, readings and decisions, up to yesterday. With --check,"
        " print what differs and exit with status 1 if anything does; with --fix, store what was computed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--user", help="without it, all users")
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--check", action="store_true")
        which.add_argument("--fix", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["user"]:
            users = [user_named(options["user"])]
        else:
            ids = CollectionValue.objects.order_by("user_id").values_list("user_id", flat=True).distinct()
            users = list(get_user_model().objects.filter(pk__in=ids).order_by("pk"))
        wrong = sum(self._work(user, fix=options["fix"]) for user in users)
        if wrong and options["check"]:
            sys.exit(1)

    def _work(self, user: Any, *, fix: bool) -> int:
        now = timezone.now()
        found = list(differences(user.pk, now=now))
        self.stdout.write(f"{user.get_username()}: {_in_words(len(found))}")
        for difference in found[:MAX_SHOWN]:
            self.stdout.write(f"  {difference.day} {difference.basis}: {_figures(difference)}")
        if len(found) > MAX_SHOWN:
            self.stdout.write(f"  and {len(found) - MAX_SHOWN} more")
        if found and fix:
            days = [difference.day for difference in found]
            rebuild_values(user.pk, first=min(days), last=max(days), now=now)
            self.stdout.write(f"  stored again: {min(days)} to {max(days)}")
        return len(found)


def _in_words(differences: int) -> str:
    if not differences:
        return "every stored value is as computed again"
    return "1 value differs" if differences == 1 else f"{differences} values differ"


def _figures(difference: Difference) -> str:
    """Both values in minor units; the parts can differ where the values do not."""
    ends = (difference.stored, difference.computed)
    stored, computed = ("no value" if row is None else str(row.value_minor) for row in ends)
    return f"stored {stored}, computed {computed}"
