"""manage.py import_export: the former name of restore_export, kept for one release."""

from typing import Any

from pricing.management.commands import restore_export


class Command(restore_export.Command):
    help = (
        f"Renamed to restore_export; this name goes away in the next release. {restore_export.Command.help}"
    )

    def handle(self, *args: Any, **options: Any) -> None:
        self.stderr.write("import_export was renamed to restore_export; use that name from now on.")
        super().handle(*args, **options)
