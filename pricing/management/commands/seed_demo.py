"""manage.py seed_demo: create a demo account on the sandbox Discogs."""

import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from collections_app.accounts.users import confirm_address
from collections_app.connections.connect import ConnectRefused, connect_with_token
from collections_app.sandbox.world.demo import DEMO_TOKEN
from collections_app.sandbox.world.world import World
from pricing.management.demo_history import seed_history
from pricing.models import SyncRun
from pricing.sync.runs import start_sync

USERNAME, PASSWORD, ADDRESS = "demo", "crateworth-demo", "demo@crateworth.example"
REPORT_EVERY = 5.0  # seconds between two lines of progress


class Command(BaseCommand):
    help = "Create the demo account on the sandbox Discogs, start a sync, and make up two years of history."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--years", type=int, default=2, help="years of history (2)")
        parser.add_argument("--seed", type=int, default=1, help="seed of the sandbox (1)")
        parser.add_argument("--releases", type=int, default=5000, help="releases in the sandbox (5000)")
        parser.add_argument(
            "--account-only", action="store_true", help="create and connect the account, and stop"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if "discogs.com" in settings.DISCOGS_API_URL:
            raise CommandError(
                "The demo account is for a sandbox: set DISCOGS_API_URL to its address.", returncode=2
            )
        user = _connected_account()
        if options["account_only"]:
            return
        self._say("Reading the collection …")
        call_command("import_collection", user=USERNAME, wait=True)
        # Before the history, which takes longer: running workers fetch the first prices meanwhile.
        start_sync(user, trigger=SyncRun.Trigger.COMMAND, now=timezone.now(), import_first=False)
        count = self._make_up_history(user, options)
        self._say(f"{count:,} made-up snapshots; sign in as {USERNAME} with the password {PASSWORD}")

    def _make_up_history(self, user: User, options: dict[str, Any]) -> int:
        what = f"Making up the prices of {options['years']} years …"
        self._say(what)
        reported_at = time.monotonic()

        def report(share: float) -> None:
            nonlocal reported_at
            if share == 1:
                self._say("Computing the value of each day …")
            elif time.monotonic() - reported_at >= REPORT_EVERY:
                reported_at = time.monotonic()
                self._say(f"{what} {share:.0%}")

        world = World(seed=options["seed"], releases=options["releases"])
        return seed_history(user.pk, world=world, years=options["years"], now=timezone.now(), report=report)

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def _connected_account() -> User:
    user, created = get_user_model().objects.get_or_create(username=USERNAME)
    if created:
        user.set_password(PASSWORD)
        user.save()
    confirm_address(user, ADDRESS)  # so that the demo needs no confirmation code
    try:
        connect_with_token(user, DEMO_TOKEN, now=timezone.now())
    except ConnectRefused as error:
        raise CommandError(str(error)) from None
    return user
