"""The WSGI application, for the web server."""

import os

from django.core.wsgi import get_wsgi_application

from config.umask import PRIVATE

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.umask(PRIVATE)
application = get_wsgi_application()
