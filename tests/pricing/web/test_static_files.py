"""A site whose static files were not collected says so at its start, instead of failing on every page."""

import pytest
from django.core.management import CommandError, call_command

from pricing.web.static_files import require_collected_files

MANIFEST = "whitenoise.storage.CompressedManifestStaticFilesStorage"


@pytest.fixture
def manifest(settings, tmp_path) -> None:
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": MANIFEST}}


@pytest.mark.usefixtures("manifest")
def test_missing_files_stop_the_start():
    with pytest.raises(CommandError, match=r"have not been collected.*Run `manage.py collectstatic"):
        call_command("run_web", "--port", "1")


@pytest.mark.usefixtures("manifest")
def test_file_of_a_newer_version_stops_the_start(settings, tmp_path):
    call_command("collectstatic", "--noinput", verbosity=0)
    require_collected_files()
    newer = tmp_path / "newer"
    newer.mkdir()
    (newer / "new.css").write_text("")
    settings.STATICFILES_DIRS = [*settings.STATICFILES_DIRS, newer]
    with pytest.raises(CommandError, match=r"1 static files, such as new\.css"):
        require_collected_files()


def test_debug_needs_no_collected_files():
    require_collected_files()
