"""Read-only admin pages for runs, jobs, prices, workers and alerts."""

from collections.abc import Iterator
from typing import Any, cast

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django_q.models import Failure, OrmQ, Schedule, Success

from collections_app.admin import ReadOnlyAdmin
from pricing.models import (
    ExchangeRate,
    HealthAlert,
    MarketStat,
    PriceJob,
    PriceSnapshot,
    ReleasePrice,
    SourceAttempt,
    SyncRun,
    SyncRunQuerySet,
    WorkerHeartbeat,
)
from pricing.money import format as written
from pricing.money.convert import PRICE_CURRENCY
from pricing.monitoring.metrics import is_recently_seen
from pricing.pages.queries.engine import HOURS, engine_now
from pricing.templatetags.engine import alert_title, milliseconds
from pricing.templatetags.figures import age_in_words, duration

admin.site.site_header = admin.site.site_title = "Crateworth"
admin.site.index_title = "Administration"

MAX_SNAPSHOTS = 100  # of a release, on its page

# django-q2's own pages unpickle rows that carry no signature, and can name any function to run.
for model in (Success, Failure, Schedule, OrmQ):
    if admin.site.is_registered(model):
        admin.site.unregister(model)


@admin.register(SyncRun)
class SyncRunAdmin(ReadOnlyAdmin):
    list_display = ("id", "state", "error", "done", "failed", "user", "created_at", "finished_at")
    list_filter = ("state", "trigger")
    list_select_related = ("user",)
    search_fields = ("user__username",)
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[SyncRun]:
        rows = cast("SyncRunQuerySet", super().get_queryset(request))
        return rows.with_counts()

    @admin.display(description="progress")
    def done(self, row: Any) -> str:
        cancelled = f", {row.cancelled:,} cancelled" if row.cancelled else ""
        return f"{row.done:,} of {row.total:,}{cancelled}"

    @admin.display(ordering="failed")
    def failed(self, row: Any) -> int:
        return int(row.failed)


class ErrorKindFilter(admin.AllValuesFieldListFilter):
    """The kinds that jobs have. Jobs without an error have an empty one, whose link would have no words."""

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        for choice in super().choices(changelist):
            yield {**choice, "display": choice["display"] or "none"}


@admin.register(PriceJob)
class PriceJobAdmin(ReadOnlyAdmin):
    list_display = ("id", "state", "error_kind", "release", "tries", "took", "worker", "finished_at")
    list_filter = ("state", ("error_kind", ErrorKindFilter), "lane")
    list_select_related = ("release",)
    search_fields = ("=release__discogs_id", "release__title", "release__artists", "worker")
    ordering = ("-id",)

    @admin.display(description="tries", ordering="attempts")
    def tries(self, row: PriceJob) -> str:
        return f"{row.attempts:,} ({row.requests:,} requests)"

    @admin.display(description="took", ordering="duration_ms")
    def took(self, row: PriceJob) -> str:
        return milliseconds(row.duration_ms)


@admin.register(ReleasePrice)
class ReleasePriceAdmin(ReadOnlyAdmin):
    """The latest price of each release; its own page has the snapshots, which the admin cannot list on their own."""

    list_display = (
        "release",
        "status",
        "amount",
        "doubt",
        "last_counted",
        "near_mint",
        "num_for_sale",
        "observed_at",
    )
    list_filter = ("doubt", "status")
    list_select_related = ("release",)
    search_fields = ("=release__discogs_id",)
    ordering = ("-observed_at",)
    readonly_fields = ("snapshots",)

    @admin.display(description="lowest price")
    def amount(self, row: ReleasePrice) -> str:
        return written.amount(row.amount_minor, row.currency)

    @admin.display(description="last that counted")
    def last_counted(self, row: ReleasePrice) -> str:
        return written.amount(row.last_minor, PRICE_CURRENCY)

    @admin.display(description="suggested for NM")
    def near_mint(self, row: ReleasePrice) -> str:
        return written.amount(row.near_mint_minor, PRICE_CURRENCY)

    @admin.display(description=f"snapshots, newest {MAX_SNAPSHOTS}")
    def snapshots(self, row: ReleasePrice) -> str:
        newest = PriceSnapshot.objects.filter(release=row.pk).order_by("-day")[:MAX_SNAPSHOTS]
        return render_to_string("admin/_snapshots.html", {"snapshots": newest})


@admin.register(MarketStat)
class MarketStatAdmin(ReadOnlyAdmin):
    list_display = ("release", "amount", "num_for_sale", "observed_at")
    list_filter = ("currency",)
    list_select_related = ("release",)
    search_fields = ("=release__discogs_id",)
    ordering = ("-id",)

    @admin.display(description="lowest price")
    def amount(self, row: MarketStat) -> str:
        return written.amount(row.amount_minor, row.currency)


@admin.register(ExchangeRate)
class ExchangeRateAdmin(ReadOnlyAdmin):
    list_display = ("currency", "per_usd", "observed_at")
    ordering = ("currency",)

    @admin.display(description="for one USD", ordering="micros_per_usd")
    def per_usd(self, row: ExchangeRate) -> str:
        return f"{row.as_rate().per_usd:,.6f}"


@admin.register(SourceAttempt)
class SourceAttemptAdmin(ReadOnlyAdmin):
    list_display = ("source", "outcome", "release", "connection", "currency", "tried_at")
    list_filter = ("source", "outcome")
    list_select_related = ("release", "connection")
    search_fields = ("=release__discogs_id", "connection__discogs_username")
    ordering = ("-id",)


class OpenFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [("open", "Open"), ("closed", "Closed")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[HealthAlert]) -> QuerySet[HealthAlert]:
        if self.value() is None:
            return queryset
        return queryset.filter(closed_at__isnull=self.value() == "open")


@admin.register(HealthAlert)
class HealthAlertAdmin(ReadOnlyAdmin):
    list_display = ("title", "message", "opened_at", "lasted", "closed_at")
    list_filter = (OpenFilter, "kind")
    ordering = ("-opened_at", "-id")

    @admin.display(description="alert", ordering="kind")
    def title(self, row: HealthAlert) -> str:
        return alert_title(row)

    @admin.display(description="lasted")
    def lasted(self, row: HealthAlert) -> str:
        return duration(((row.closed_at or timezone.now()) - row.opened_at).total_seconds())


@admin.register(WorkerHeartbeat)
class WorkerHeartbeatAdmin(ReadOnlyAdmin):
    """The list of processes, and the page about the whole engine."""

    list_display = (
        "process",
        "is_recently_seen",
        "last_seen",
        "jobs",
        "error_rate",
        "memory",
        "processor",
        "median",
        "slow",
    )
    list_filter = ("role", "host")
    ordering = ("-seen_at",)

    def get_urls(self) -> list[URLPattern]:
        engine = path("engine/", self.admin_site.admin_view(self.engine), name="pricing_engine")
        return [engine, *super().get_urls()]

    def engine(self, request: HttpRequest) -> HttpResponse:
        """Gate, jobs, throughput, response times and workers; only the live part for an htmx request."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        asked = request.GET.get("hours", "")
        hours = int(asked) if asked in {str(choice) for choice in HOURS} else HOURS[0]
        context = {
            **self.admin_site.each_context(request),
            "title": "Engine",
            "engine": engine_now(now=timezone.now(), hours=hours),
            "stretches": HOURS,
        }
        template = "admin/_engine.html" if getattr(request, "htmx", False) else "admin/engine.html"
        return TemplateResponse(request, template, context)

    @admin.display(description="process")
    def process(self, row: WorkerHeartbeat) -> str:
        return str(row)

    @admin.display(boolean=True, description="seen recently")
    def is_recently_seen(self, row: WorkerHeartbeat) -> bool:
        return is_recently_seen(row, now=timezone.now())

    @admin.display(description="last seen", ordering="seen_at")
    def last_seen(self, row: WorkerHeartbeat) -> str:
        seconds = (timezone.now() - row.seen_at).total_seconds()
        return f"{seconds:.0f} s ago" if seconds < 60 else f"{age_in_words(seconds)} ago"

    @admin.display(description="error rate")
    def error_rate(self, row: WorkerHeartbeat) -> str:
        return "–" if row.error_percent is None else f"{row.error_percent:.1f} %"

    @admin.display(description="memory", ordering="rss_bytes")
    def memory(self, row: WorkerHeartbeat) -> str:
        return f"{row.megabytes:.0f} MB"

    @admin.display(description="processor", ordering="cpu_percent")
    def processor(self, row: WorkerHeartbeat) -> str:
        return f"{row.cpu_percent:.0f} %"

    @admin.display(description="median job", ordering="p50_ms")
    def median(self, row: WorkerHeartbeat) -> str:
        return milliseconds(row.p50_ms)

    @admin.display(description="95 % within", ordering="p95_ms")
    def slow(self, row: WorkerHeartbeat) -> str:
        return milliseconds(row.p95_ms)
