"""manage.py sync_prices: bring prices up to date."""

import json
import sys
import time
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from collections_app.connections.credentials import is_usable
from collections_app.importing import unread
from collections_app.models import CollectionInstance, DiscogsConnection, Release
from pricing.management.commands._support import USAGE, Workers, span, user_named
from pricing.models import SyncRun
from pricing.pages.queries import Progress, live_of, progress_of
from pricing.sync import planner, runs
from pricing.value.freshness import fresh_for

SOME_FAILED, TIMED_OUT = 1, 3  # exit statuses
POLL_EVERY = 0.3  # seconds


class Command(BaseCommand):
    help = (
        "Let the workers fetch the prices that are due. Exit status: 0 all releases are in a known state, "
        "1 some failed, 2 wrong usage, 3 timed out."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--user", help="only this user's collection; otherwise everyone's")
        parser.add_argument("--release", type=int, nargs="+", metavar="ID", help="only these releases")
        age = parser.add_mutually_exclusive_group()
        age.add_argument("--stale-after", type=span, help="fetch prices older than this, such as 6h")
        age.add_argument("--force", action="store_true", help="fetch all, however fresh")
        parser.add_argument(
            "--wait", action="store_true", help="wait until it is done; start workers if none are running"
        )
        parser.add_argument("--timeout", type=float, metavar="SECONDS", help="stop waiting after this long")
        parser.add_argument("--dry-run", action="store_true", help="only print what would be fetched")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        stale_after = timedelta(0) if options["force"] else options["stale_after"]
        if options["dry_run"]:
            self._print_plan(
                self._scope(options), fresh_for() if stale_after is None else stale_after, options
            )
            return
        run = self._start(options, stale_after)
        if not options["wait"]:
            self._print(progress_of(run, now=timezone.now()), options)
            return
        with Workers(sys.stderr) as workers:
            progress = self._wait(run, options["timeout"], workers)
        self._print(progress, options)
        if progress.run.is_active:
            sys.exit(TIMED_OUT)
        if progress.failed or progress.run.state != SyncRun.State.FINISHED:
            sys.exit(SOME_FAILED)

    def _start(self, options: dict[str, Any], stale_after: timedelta | None) -> SyncRun:
        now = timezone.now()
        connections = DiscogsConnection.objects.order_by("pk")
        if options["user"]:
            connections = connections.filter(user_id=user_named(options["user"]).pk)
        if not connections:
            raise CommandError(
                "No user is connected: connect one with connect_discogs first.", returncode=USAGE
            )
        if not any(is_usable(connection) for connection in connections):
            raise CommandError(str(runs.ReconnectNeeded(connections[0])), returncode=USAGE)
        if not options["release"] and len(connections) == 1:
            command = SyncRun.Trigger.COMMAND
            user = connections[0].user
            return runs.start_sync(
                user, trigger=command, now=now, stale_after=stale_after, import_first=False
            )
        return runs.start_release_sync(self._scope(options), now=now, stale_after=stale_after)

    def _scope(self, options: dict[str, Any]) -> list[int]:
        """The releases that the options select. Raises CommandError for one that is not in the database."""
        if options["release"]:
            known = set(Release.objects.filter(pk__in=options["release"]).values_list("pk", flat=True))
            unknown = sorted(set(options["release"]) - known)
            if unknown:
                raise CommandError(f"Not in any imported collection: {unknown}.", returncode=USAGE)
            return sorted(known)
        held = CollectionInstance.objects.held()
        if options["user"]:
            held = held.of(user_named(options["user"]).pk)
        return sorted(set(held.release_ids()))

    def _print_plan(self, releases: list[int], stale_after: timedelta, options: dict[str, Any]) -> None:
        fresh = len(planner.fresh_releases(releases, stale_after=stale_after, now=timezone.now()))
        if options["json"]:
            plan = {"run": None, "total": len(releases), "due": len(releases) - fresh, "reused": fresh}
            self.stdout.write(json.dumps(plan))
            return
        self.stdout.write(
            f"Would fetch {len(releases) - fresh} of {len(releases)} releases; {fresh} are fresh."
        )

    def _wait(self, run: SyncRun, timeout: float | None, workers: Workers) -> Progress:
        deadline = time.monotonic() + timeout if timeout is not None else None
        while True:
            try:
                run.refresh_from_db()
            except SyncRun.DoesNotExist:
                raise CommandError("The run was erased, because its user has disconnected.") from None
            progress = progress_of(run, now=timezone.now())
            self._draw(progress)
            if not run.is_active or (deadline is not None and time.monotonic() >= deadline):
                return progress
            workers.ensure()
            time.sleep(POLL_EVERY)

    def _draw(self, progress: Progress) -> None:
        """A progress bar, on a terminal only."""
        if not sys.stderr.isatty():
            return
        width = 30
        done = width * progress.done // progress.total if progress.total else 0
        bar = "█" * done + "·" * (width - done)
        state = live_of(progress, connection_state="active", now=timezone.now()).line.short
        end = "\n" if not progress.run.is_active else ""
        # The rest of the line is erased: the text before it may have been longer.
        sys.stderr.write(f"\r{bar} {progress.done} of {progress.total} · {state}\x1b[K{end}")
        sys.stderr.flush()

    def _print(self, progress: Progress, options: dict[str, Any]) -> None:
        if options["json"]:
            self.stdout.write(json.dumps(facts_of(progress)))
            return
        self.stdout.write(
            f"Run {progress.run.pk}, {progress.run.get_state_display().lower()}: {progress.done} of {progress.total} "
            f"releases ({progress.reused} reused, {progress.failed} failed, {progress.cancelled} cancelled), "
            f"{progress.requests} requests ({progress.import_requests} of them for the collection)."
        )
        not_read = unread.summary(progress.import_pass) if progress.import_pass else ""
        if not_read:
            self.stdout.write(not_read)


def facts_of(progress: Progress) -> dict[str, int | float | None]:
    """What `--json` prints. Every release is in exactly one of the counts once the run has ended."""
    rate = progress.success_rate
    return {
        "run": progress.run.pk,
        "total": progress.total,
        "recorded": progress.recorded,
        "reused": progress.reused,
        "none_for_sale": progress.none_for_sale,
        "blocked": progress.blocked,
        "gone": progress.gone,
        "not_found": progress.not_found,
        "failed": progress.failed,
        "cancelled": progress.cancelled,
        "requests": progress.requests,
        "seconds": round(progress.seconds, 1),
        "success_rate": None if rate is None else round(rate, 4),
        "average_ms": progress.average_ms,
    }
