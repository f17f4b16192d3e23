"""The choices of a list's filters."""

from dataclasses import dataclass

from django.core.cache import caches

from collections_app.models import CollectionInstance, Folder, ImportPass
from pricing.pages.queries.groups import decade_of, main_format


@dataclass(frozen=True, slots=True)
class Options:
    folders: list[str]
    genres: list[str]
    formats: list[str]
    decades: list[str]


def options_of(user_id: int) -> Options:
    """Only values that occur. One query, two more after each page that an import has read.

    Copies come and go with imports alone, so the newest import pass is what the choices are cached by.
    """
    passes = ImportPass.objects.filter(connection__user_id=user_id).order_by("-pk")
    newest = passes.values_list("pk", "started_at", "stage", "state", "instances_seen").first()
    if newest is None:
        return _options(user_id)  # restored from an export, or not read yet
    pk, started_at, stage, state, seen = newest
    key = f"options:{user_id}:{pk}:{started_at.timestamp()}:{stage}:{state}:{seen}"
    options: Options | None = caches["pages"].get(key)
    if options is None:
        options = _options(user_id)
        caches["pages"].set(key, options)
    return options


def _options(user_id: int) -> Options:
    """Two queries."""
    genres, formats, decades = set[str](), set[str](), set[str]()
    held = CollectionInstance.objects.of(user_id).held().order_by()
    facts = held.values_list("release__genres", "release__format", "release__year").distinct()
    for of_release, line, year in facts:
        genres.update(of_release)
        formats.add(main_format(line))
        decades.add(decade_of(year))
    # Folder 0, "All", is the whole collection at Discogs; no copy is stored in it.
    folders = Folder.objects.filter(connection__user_id=user_id).exclude(discogs_id=0)
    return Options(
        folders=list(folders.order_by("name").values_list("name", flat=True)),
        genres=sorted(genres),
        formats=sorted(formats - {""}),
        decades=sorted(decades - {""}),
    )
