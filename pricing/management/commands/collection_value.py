"""manage.py collection_value: what a user's collection is worth now."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from pricing.management.commands._support import user_named
from pricing.money.format import about, amount
from pricing.pages.queries import value_for
from pricing.value.accuracy import Accuracy, Missing, accuracy_for
from pricing.value.band import Band
from pricing.value.cascade import Basis, Evidence, Source
from pricing.value.current import basis_of
from pricing.value.valuation import Sum, Value


class Command(BaseCommand):
    help = "Print the estimated value of a user's collection, with what it covers."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--user", required=True)
        parser.add_argument(
            "--basis", choices=Basis.values, help="without it, the one that the user has chosen"
        )
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        user = user_named(options["user"])
        now = timezone.now()
        basis = Basis(options["basis"] or basis_of(user.pk))
        value = value_for(user.pk, now=now, basis=basis)
        accuracy = accuracy_for(user.pk, now=now, basis=basis)
        if options["json"]:
            self.stdout.write(json.dumps(_facts(user.get_username(), value, accuracy)))
            return
        if not value.priced:
            self.stdout.write(f"No value yet: no copy of {value.copies} has a price.")
            return
        total = amount(value.amount_minor, value.currency) + _band(accuracy.band, value.currency)
        held_back = f", {value.quarantined} held back" if value.quarantined else ""
        self.stdout.write(
            f"{total}: {_WORDS[basis]} of {value.priced} of {value.copies} copies"
            f" ({value.stale} stale{held_back})."
        )
        for source, words in _OTHERS.items():
            if copies := value.sources.get(source, Sum()).copies:
                self.stdout.write(f"{copies} of them {words}.")
        if accuracy.missing.copies:
            self.stdout.write(_missing(accuracy.missing, value.currency))


def _facts(username: str, value: Value, accuracy: Accuracy) -> dict[str, Any]:
    return {
        "user": username,
        "currency": value.currency,
        "basis": value.basis.value,
        "estimated_value_minor": value.amount_minor,
        "instances": value.copies,
        "releases": value.releases,
        "priced": value.priced,
        "unpriced": value.unpriced,
        "stale": value.stale,
        "quarantined": value.quarantined,
        "left_out": value.left_out,
        "as_of": value.as_of.isoformat() if value.as_of else None,
        "band_low_minor": accuracy.band.low_minor if accuracy.band else None,
        "band_high_minor": accuracy.band.high_minor if accuracy.band else None,
        "missing": asdict(accuracy.missing),
        "own": _sum(value, Source.OWN),
        "by_grade": _sum(value, Source.GRADE),
        "by_floor": _sum(value, Source.FLOOR),
        "carried": _sum(value, Source.CARRIED),
        "evidence": {level.value: value.evidence.get(level, Sum())._asdict() for level in Evidence if level},
    }


_WORDS = {Basis.FLOOR: "the lowest listings", Basis.GRADE: "the prices for the grades"}
_OTHERS = {
    Source.OWN: "at a figure of the owner",
    Source.CARRIED: "at the last price seen, since none is for sale now",
}


def _sum(value: Value, source: Source) -> dict[str, int]:
    return value.sources.get(source, Sum())._asdict()


def _band(band: Band | None, currency: str) -> str:
    return f" ± {about(band.half_minor, currency)}" if band and band.is_shown else ""


def _missing(missing: Missing, currency: str) -> str:
    copies = "1 copy" if missing.copies == 1 else f"{missing.copies} copies"
    if missing.low_minor is None or missing.high_minor is None:
        return f"{copies} without a price, not in the total."
    low, high = (about(end, currency, figures=2) for end in (missing.low_minor, missing.high_minor))
    return f"{copies} without a price, not in the total; similar ones: {low}–{high}."
