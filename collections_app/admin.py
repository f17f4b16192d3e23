"""Looking at connections, releases, imports and the gate. Nothing here can be changed by hand."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Model, Q, QuerySet
from django.http import HttpRequest

from collections_app.models import ApiGate, DiscogsConnection, ImportPass, Release


class ReadOnlyAdmin(admin.ModelAdmin):
    """Rows are written by the import and the workers; a hand in between would break their rules."""

    list_per_page = 50
    show_full_result_count = False  # a second count over a large table for each search

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(DiscogsConnection)
class DiscogsConnectionAdmin(ReadOnlyAdmin):
    list_display = ("discogs_username", "user", "kind", "state", "copies", "connected_at", "last_success_at")
    list_filter = ("state", "kind")
    list_select_related = ("user",)
    search_fields = ("discogs_username", "user__username")
    exclude = ("credential",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[DiscogsConnection]:
        held = Count("instances", filter=Q(instances__removed_at__isnull=True))
        rows: QuerySet[DiscogsConnection] = super().get_queryset(request).defer("credential")
        return rows.annotate(copies=held)

    @admin.display(ordering="copies")
    def copies(self, row: Any) -> int:
        return int(row.copies)


@admin.register(Release)
class ReleaseAdmin(ReadOnlyAdmin):
    list_display = ("discogs_id", "artists", "title", "year", "format", "catalog_number")
    list_display_links = ("discogs_id", "title")
    search_fields = ("=discogs_id", "title", "artists", "catalog_number")
    ordering = ("discogs_id",)


@admin.register(ImportPass)
class ImportPassAdmin(ReadOnlyAdmin):
    list_display = (
        "id",
        "connection",
        "state",
        "instances_seen",
        "instances_expected",
        "requests",
        "attempts",
        "error",
        "started_at",
        "finished_at",
    )
    list_filter = ("state",)
    list_select_related = ("connection",)
    search_fields = ("connection__discogs_username",)
    ordering = ("-id",)


@admin.register(ApiGate)
class ApiGateAdmin(ReadOnlyAdmin):
    list_display = (
        "egress",
        "breaker",
        "openings",
        "faults_in_a_row",
        "refusals",
        "latency_ms",
        "requests",
        "paused_until",
    )
