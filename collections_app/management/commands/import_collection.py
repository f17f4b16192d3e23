"""manage.py import_collection: read collections from Discogs."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from collections_app.accounts.lookup import find_user
from collections_app.importing.steps import ConnectionErased, import_step, start_import
from collections_app.models import DiscogsConnection, ImportPass
from collections_app.tasks import enqueue_import


class Command(BaseCommand):
    help = "Read folders and copies from Discogs, of one connected user or of all."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--user", help="only this user's collection")
        parser.add_argument("--wait", action="store_true", help="read it now; otherwise the workers do")

    def handle(self, *args: Any, **options: Any) -> None:
        connections = DiscogsConnection.objects.order_by("pk")
        if options["user"]:
            user = find_user(options["user"])
            connections = connections.filter(user=user) if user else connections.none()
        if not connections:
            raise CommandError(
                "Nobody to import for: connect a user with connect_discogs first.", returncode=2
            )
        walks = [self._started(connection) for connection in connections]
        if options["wait"]:
            failed = [walk for walk in walks if walk is None or not self._read(walk)]
            if failed:
                raise CommandError(f"{len(failed)} of {len(walks)} imports failed.")
            return
        for walk in filter(None, walks):
            enqueue_import(walk.pk, now=timezone.now())
            self.stdout.write(f"Import {walk.pk} waits for the workers (manage.py run_workers).")

    def _started(self, connection: DiscogsConnection) -> ImportPass | None:
        try:
            return start_import(connection, now=timezone.now())
        except ConnectionErased as erased:
            self.stderr.write(f"{connection}: {erased}")
            return None

    def _read(self, walk: ImportPass) -> bool:
        try:
            return self._walk(walk)
        except ObjectDoesNotExist:
            self.stderr.write(f"Import {walk.pk}: its user has disconnected; nothing of it is kept.")
            return False

    def _walk(self, walk: ImportPass) -> bool:
        """Go through an import, beside any worker that does the same; whether it was completed."""
        while True:
            wait_seconds = import_step(walk.pk, now=timezone.now())
            walk.refresh_from_db()
            if walk.state != ImportPass.State.RUNNING:
                break
            # None: a worker holds the page at hand.
            time.sleep(0.5 if wait_seconds is None else wait_seconds)
        if walk.state == ImportPass.State.FAILED:
            self.stderr.write(f"{walk.connection}: {walk.error}")
            return False
        self.stdout.write(f"{walk.connection}: {walk.instances_seen} copies, {walk.requests} requests.")
        return True
