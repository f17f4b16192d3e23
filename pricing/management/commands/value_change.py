"""manage.py value_change: why the value of a user's collection changed between two days."""

import json
from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, date
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from pricing.daily.between import change_between
from pricing.management.commands._support import user_named
from pricing.money.convert import PRICE_CURRENCY
from pricing.money.format import amount, difference
from pricing.pages.waterfall import PARTS
from pricing.value.cascade import Basis
from pricing.value.change import Part
from pricing.value.current import basis_of


def a_day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is not a day such as 2026-03-01") from error


class Command(BaseCommand):
    help = (
        "Print how the value of a user's collection changed from the end of one day (UTC) to that of another."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--user", required=True)
        parser.add_argument("--from", required=True, type=a_day, dest="first")
        parser.add_argument("--to", type=a_day, dest="last", help="without it, until now")
        parser.add_argument(
            "--basis", choices=Basis.values, help="without it, the one that the user has chosen"
        )
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        user, first = user_named(options["user"]), options["first"]
        last = options["last"] or now.astimezone(UTC).date()
        if not first < last <= now.astimezone(UTC).date():
            raise CommandError("--from must be before --to, and --to not after today.")
        basis = Basis(options["basis"] or basis_of(user.pk))
        change = change_between(user.pk, basis, first, last, now=now)
        split = change.split
        if options["json"]:
            facts = {
                "user": user.get_username(),
                "currency": PRICE_CURRENCY,
                "basis": basis.value,
                "from": change.before_minor,
                "to": change.after_minor,
                **{part.value: getattr(split, part) for part in Part},
                "total": split.total,
                "like_for_like": split.like_minor,
            }
            self.stdout.write(json.dumps(facts))
            return
        self.stdout.write(f"{amount(change.before_minor, PRICE_CURRENCY)} at the end of {first}")
        for part, (label, why) in PARTS.items():
            if moved := getattr(split, part):
                self.stdout.write(f"  {difference(moved, PRICE_CURRENCY)}  {label}: {why}")
        self.stdout.write(f"{amount(change.after_minor, PRICE_CURRENCY)} at the end of {last}")
