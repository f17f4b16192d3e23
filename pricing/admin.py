"""Looking at runs, jobs, snapshots and workers. Nothing here can be changed by hand."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django_q.models import Failure, OrmQ, Schedule, Success

from collections_app.admin import ReadOnlyAdmin
from pricing.models import PriceJob, PriceSnapshot, SyncRun, WorkerHeartbeat
from pricing.templatetags.figures import age_in_words, money

# django-q2's own pages unpickle rows that carry no signature, and can name any function to run.
for model in (Success, Failure, Schedule, OrmQ):
    if admin.site.is_registered(model):
        admin.site.unregister(model)

# A worker that has not been heard of for longer is taken for dead.
SILENT_AFTER = timedelta(seconds=60)


@admin.register(SyncRun)
class SyncRunAdmin(ReadOnlyAdmin):
    list_display = ("id", "user", "state", "trigger", "done", "failed", "error", "created_at", "finished_at")
    list_filter = ("state", "trigger")
    list_select_related = ("user",)
    search_fields = ("user__username",)
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[SyncRun]:
        live, dead = Q(items__job__state__in=PriceJob.LIVE), Q(items__job__state=PriceJob.State.DEAD)
        rows: QuerySet[SyncRun] = super().get_queryset(request)
        return rows.annotate(
            items_total=Count("items"),
            items_done=Count("items", filter=~live),
            items_failed=Count("items", filter=dead),
        )

    @admin.display(description="progress")
    def done(self, row: Any) -> str:
        return f"{row.items_done:,} of {row.items_total:,}"

    @admin.display(ordering="items_failed")
    def failed(self, row: Any) -> int:
        return int(row.items_failed)


@admin.register(PriceJob)
class PriceJobAdmin(ReadOnlyAdmin):
    list_display = (
        "id",
        "release",
        "state",
        "lane",
        "attempts",
        "requests",
        "error_kind",
        "duration_ms",
        "worker",
        "created_at",
        "finished_at",
    )
    list_filter = ("state", "error_kind", "lane")
    list_select_related = ("release",)
    search_fields = ("=release__discogs_id", "release__title", "release__artists", "worker")
    ordering = ("-id",)


@admin.register(PriceSnapshot)
class PriceSnapshotAdmin(ReadOnlyAdmin):
    list_display = ("release", "day", "status", "amount", "num_for_sale", "want", "have", "source")
    list_filter = ("status", "source")
    list_select_related = ("release",)
    search_fields = ("=release__discogs_id",)
    ordering = ("-id",)

    @admin.display(description="lowest price")
    def amount(self, row: PriceSnapshot) -> str:
        return money(row.amount_minor, row.currency)


@admin.register(WorkerHeartbeat)
class WorkerHeartbeatAdmin(ReadOnlyAdmin):
    list_display = (
        "process",
        "role",
        "is_heard",
        "last_heard",
        "jobs",
        "errors",
        "error_rate",
        "memory",
        "average",
        "started_at",
    )
    list_filter = ("role", "host")
    ordering = ("-seen_at",)

    @admin.display(description="process")
    def process(self, row: WorkerHeartbeat) -> str:
        return str(row)

    @admin.display(boolean=True, description="heard")
    def is_heard(self, row: WorkerHeartbeat) -> bool:
        return timezone.now() - row.seen_at < SILENT_AFTER

    @admin.display(description="last heard", ordering="seen_at")
    def last_heard(self, row: WorkerHeartbeat) -> str:
        seconds = (timezone.now() - row.seen_at).total_seconds()
        return f"{seconds:.0f} s ago" if seconds < 60 else f"{age_in_words(seconds)} ago"

    @admin.display(description="error rate")
    def error_rate(self, row: WorkerHeartbeat) -> str:
        return f"{row.errors * 100 / row.jobs:.1f} %" if row.jobs else "–"

    @admin.display(description="memory", ordering="rss_bytes")
    def memory(self, row: WorkerHeartbeat) -> str:
        return f"{row.rss_bytes / 1_000_000:.0f} MB"

    @admin.display(description="average answer", ordering="average_ms")
    def average(self, row: WorkerHeartbeat) -> str:
        return f"{row.average_ms:.0f} ms"
