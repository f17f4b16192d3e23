"""The WSGI application, for the web server."""

import os

import django

from config import process
from config.umask import PRIVATE

process.serves_pages = True
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.umask(PRIVATE)
django.setup(set_prefix=False)

from collections_app.web.requests import SiteHandler  # noqa: E402 reads the settings

application = SiteHandler()
