"""Whether `manage.py collectstatic` was run for this version of the site."""

from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import ManifestFilesMixin, staticfiles_storage
from django.core.management.base import CommandError


def require_collected_files() -> None:
    """Raise CommandError if a file of this version is not in the manifest: each page that links it would be a 500."""
    storage: object = staticfiles_storage
    if not isinstance(storage, ManifestFilesMixin):
        return
    known = storage.hashed_files
    missing = [name for finder in get_finders() for name, _ in finder.list([]) if name not in known]
    if missing:
        raise CommandError(
            f"{len(missing)} static files, such as {missing[0]}, have not been collected, so pages would fail. "
            "Run `manage.py collectstatic --noinput`, then start again."
        )
