"""manage.py restore_export: restore an export file from another site."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import IntegrityError, OperationalError
from django.utils import timezone

from pricing.export import Refused, RestoreResult, restore
from pricing.management.commands._support import USAGE, user_named

KEPT = "Nothing was stored."


class Command(BaseCommand):
    help = (
        "Restore a file from “Export everything” for a user without a connection. Its prices become those of "
        "every owner of the release on this site, so trust its source. What this site already has is kept."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE")
        parser.add_argument("--user", required=True, help="the new owner; must not have a connection yet")
        parser.add_argument("--dry-run", action="store_true", help="check everything and store nothing")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        user = user_named(options["user"])
        try:
            with open(options["file"], "rb") as file:
                result = restore(file, user, now=timezone.now(), dry_run=options["dry_run"])
        except OSError as error:
            raise CommandError(
                f"{options['file']} cannot be read: {error.strerror}.", returncode=USAGE
            ) from None
        except Refused as refused:
            raise CommandError(f"{str(refused).rstrip('.')}. {KEPT}") from None
        except (IntegrityError, OperationalError) as error:
            raise CommandError(f"The database refused the file ({error}). {KEPT} Try again.") from None
        facts = {
            "user": user.get_username(),
            "dry_run": options["dry_run"],
            "rows": result.rows,
            "new": result.new,
        }
        self.stdout.write(
            json.dumps(facts) if options["json"] else _summary(user.get_username(), result, options)
        )


def _summary(username: str, result: RestoreResult, options: dict[str, Any]) -> str:
    lines = ["Would store:" if options["dry_run"] else "Stored:"]
    for name, number in result.rows.items():
        known = number - result.new[name] if name in result.new else 0
        lines.append(
            f"  {name} {number:,}" + (f", {known:,} of them already here and unchanged" if known else "")
        )
    if not options["dry_run"]:
        lines.append(f"Next: {username} connects the same Discogs account again, on the settings page.")
    return "\n".join(lines)
