"""manage.py collection_value: what a user's collection is worth now."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from pricing.management.commands._support import user_named
from pricing.money.format import amount
from pricing.pages.queries import value_for


class Command(BaseCommand):
    help = "Print the estimated value of a user's collection, with what it covers."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--user", required=True)
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        user = user_named(options["user"])
        value = value_for(user.pk, now=timezone.now())
        if options["json"]:
            facts = {
                "user": user.get_username(),
                "currency": value.currency,
                "estimated_value_minor": value.amount_minor,
                "instances": value.copies,
                "releases": value.releases,
                "priced": value.priced,
                "unpriced": value.unpriced,
                "stale": value.stale,
                "quarantined": value.quarantined,
                "left_out": value.left_out,
                "as_of": value.as_of.isoformat() if value.as_of else None,
            }
            self.stdout.write(json.dumps(facts))
            return
        if not value.priced:
            self.stdout.write(f"No value yet: no copy of {value.copies} has a price.")
            return
        total = amount(value.amount_minor, value.currency)
        held_back = f", {value.quarantined} held back" if value.quarantined else ""
        self.stdout.write(
            f"{total}: the lowest listings of {value.priced} of {value.copies} copies"
            f" ({value.stale} stale{held_back})."
        )
