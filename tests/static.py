"""Static files for tests: pages link to them without the manifest that `collectstatic` writes."""

import pytest


@pytest.fixture(autouse=True)
def plain_static_files(settings) -> None:
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.WHITENOISE_AUTOREFRESH = True  # looks for files at each request, so the directory need not exist
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}
