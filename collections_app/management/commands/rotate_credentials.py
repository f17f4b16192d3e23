"""manage.py rotate_credentials: re-encrypt everything stored with the first key of CREDENTIAL_KEYS."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from collections_app.accounts.secrets import reencrypt_secrets
from collections_app.encryption import TextUnreadable, with_newest_key
from collections_app.models import DiscogsConnection


class Command(BaseCommand):
    help = (
        "Re-encrypt stored credentials and two-factor secrets with the first key of CREDENTIAL_KEYS. Can be stopped "
        "and run again; the site may keep running."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        unreadable = self._renew_credentials() + self._renew_secrets()
        if unreadable:
            raise CommandError(
                f"{unreadable} credentials cannot be read. Add the key they were made with to CREDENTIAL_KEYS and run "
                "this again, or ask their owners to reconnect, or run reset_two_factor for them."
            )

    def _renew_secrets(self) -> int:
        """Return how many cannot be read."""
        renewal = reencrypt_secrets()
        for pk in renewal.unreadable:
            self.stderr.write(f"Authenticator {pk}: no key decrypts its secret. It was left unchanged.")
        if renewal.total:
            self.stdout.write(f"{renewal.renewed} of {renewal.total} two-factor secrets re-encrypted.")
        return len(renewal.unreadable)

    def _renew_credentials(self) -> int:
        """Return how many cannot be read."""
        rotated = unreadable = 0
        sealed = DiscogsConnection.objects.exclude(credential="").order_by("pk")
        rows = list(sealed.values_list("pk", "credential"))
        for pk, ciphertext in rows:
            try:
                renewed = with_newest_key(ciphertext)
            except TextUnreadable:
                self.stderr.write(f"Connection {pk}: no key decrypts its credential. It was left unchanged.")
                unreadable += 1
                continue
            if renewed:
                # Unless its owner has just reconnected.
                rotated += sealed.filter(pk=pk, credential=ciphertext).update(credential=renewed)
        self.stdout.write(f"{rotated} of {len(rows)} credentials re-encrypted; the others needed no change.")
        return unreadable
