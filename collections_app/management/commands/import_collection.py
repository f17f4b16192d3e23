"""manage.py import_collection: read collections from Discogs."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from collections_app.accounts.users import find_user
from collections_app.discogs.process import this_process
from collections_app.importing import removed, unread
from collections_app.importing.steps import ConnectionErased, import_step, start_import
from collections_app.models import DiscogsConnection, ImportPass
from collections_app.tasks import enqueue_import


class Command(BaseCommand):
    help = "Read folders and copies from Discogs, for one connected user or for all."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--user", help="only this user's collection")
        parser.add_argument("--wait", action="store_true", help="import now; otherwise the workers import it")

    def handle(self, *args: Any, **options: Any) -> None:
        connections = DiscogsConnection.objects.order_by("pk")
        if options["user"]:
            user = find_user(options["user"])
            connections = connections.filter(user=user) if user else connections.none()
        if not connections:
            raise CommandError("There is no connected user. Run connect_discogs first.", returncode=2)
        passes = [self._started(connection) for connection in connections]
        if options["wait"]:
            failed = [each for each in passes if each is None or not self._read(each)]
            if failed:
                raise CommandError(f"{len(failed)} of {len(passes)} imports failed.")
            return
        for import_pass in filter(None, passes):
            enqueue_import(import_pass.pk, now=timezone.now())
            self.stdout.write(f"Import {import_pass.pk} waits for the workers (manage.py run_workers).")

    def _started(self, connection: DiscogsConnection) -> ImportPass | None:
        try:
            return start_import(connection, now=timezone.now())
        except ConnectionErased as erased:
            self.stderr.write(f"{connection}: {erased}")
            return None

    def _read(self, import_pass: ImportPass) -> bool:
        try:
            return self._run(import_pass)
        except ObjectDoesNotExist:
            self.stderr.write(f"Import {import_pass.pk}: its user has disconnected; nothing was kept.")
            return False

    def _run(self, import_pass: ImportPass) -> bool:
        """Run an import to its end, and the second pass that it starts; return whether both completed."""
        if not self._run_one(import_pass):
            return False
        second = removed.confirmation_of(import_pass)
        if second is None:
            return True
        self.stdout.write(
            f"{import_pass.connection}: {import_pass.unconfirmed_copies} copies and {import_pass.unconfirmed_wants} "
            "wants were missing. Reading a second time to confirm it."
        )
        return self._run_one(second)

    def _run_one(self, import_pass: ImportPass) -> bool:
        """Run one import pass to its end, alongside any worker that does the same; return whether it completed."""
        while True:
            wait_seconds = import_step(
                import_pass.pk, now=timezone.now(), client_for=this_process().client_for
            )
            import_pass.refresh_from_db()
            if import_pass.state != ImportPass.State.RUNNING:
                break
            # None: a worker holds the lease of the current page.
            time.sleep(0.5 if wait_seconds is None else wait_seconds)
        if import_pass.state == ImportPass.State.FAILED:
            self.stderr.write(f"{import_pass.connection}: {import_pass.error}")
            return False
        self.stdout.write(
            f"{import_pass.connection}: {import_pass.instances_seen} copies, {import_pass.requests} requests."
        )
        if not_read := unread.summary(import_pass):
            self.stdout.write(f"{import_pass.connection}: {not_read}")
        return True
