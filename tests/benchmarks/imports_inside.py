"""`python -m tests.benchmarks.imports_inside NAME TOKEN`: create a user who is connected by this token."""

import json
import os
import sys

import django
from django.utils import timezone


def connect(name: str, token: str) -> None:
    from django.contrib.auth import get_user_model

    from collections_app.connections.connect import connect_with_token

    connect_with_token(get_user_model().objects.create_user(name), token, now=timezone.now())


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    connect(*sys.argv[1:])
    sys.stdout.write(json.dumps({"connected": sys.argv[1]}))
