"""manage.py purge: delete expired rows."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from pricing.retention.purge import count_purgeable, purge_all


class Command(BaseCommand):
    help = (
        "Delete prices of releases without an owner, old runs, jobs and measurements, and history beyond "
        "HISTORY_DAYS. The workers do this every day; docs/configuration.md lists how long each kind is kept."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only print what would be deleted")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        counts = count_purgeable(now=now) if options["dry_run"] else purge_all(now=now)
        if options["json"]:
            self.stdout.write(json.dumps(counts))
            return
        verb = "Would delete" if options["dry_run"] else "Deleted"
        summary = ", ".join(f"{number:,} {kind}" for kind, number in counts.items())
        self.stdout.write(f"{verb}: {summary or 'nothing'}.")
