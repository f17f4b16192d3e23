"""`python -m tests.benchmarks.imports_inside TOKEN`: connect a user, import twice, and print the cost."""

import json
import os
import resource
import sys
import time

import django
from django.utils import timezone


def measure(token: str) -> dict[str, float]:
    from django.contrib.auth import get_user_model

    from collections_app.connections.connect import connect_with_token
    from collections_app.models import CollectionInstance, ImportPass

    user = get_user_model().objects.create_user("large")
    connect_with_token(user, token, now=timezone.now())
    first, second = import_seconds(user), import_seconds(user)
    return {
        "copies": CollectionInstance.objects.held().count(),
        "requests": max(ImportPass.objects.values_list("requests", flat=True)),
        "first_seconds": first,
        "second_seconds": second,
        "most_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


def import_seconds(user) -> float:
    """Run one import; return its seconds."""
    from collections_app.importing.steps import import_step, start_import

    started = time.monotonic()
    import_pass = start_import(user.discogs_connection, now=timezone.now())
    while (wait := import_step(import_pass.pk, now=timezone.now())) is not None:
        time.sleep(wait)
    import_pass.refresh_from_db()
    assert import_pass.state == "complete", import_pass.error
    return time.monotonic() - started


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    sys.stdout.write(json.dumps(measure(sys.argv[1])))
