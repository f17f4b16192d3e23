"""The admin: read-only lists of connections, releases, imports, the gate and its trend."""

from datetime import UTC, datetime
from typing import Any

from allauth.account.decorators import secure_admin_login
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import Group, User
from django.db import DataError
from django.db.models import Count, Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from collections_app.discogs.minutes import average_ms
from collections_app.models import (
    ApiGate,
    ApiMinute,
    Capability,
    DiscogsConnection,
    ImportPass,
    Preferences,
    Release,
)
from collections_app.search import CUT, words_of


@secure_admin_login
def _enter(request: HttpRequest) -> HttpResponse:
    return redirect("admin:index")


# Through the site's own login, so that its limits and two-factor apply here too. Django's form is never shown: staff
# could try the passwords of others with it.
admin.site.login = login_not_required(_enter)  # type: ignore[method-assign]

# allauth's own admin pages would show encrypted secrets, and let staff mark unconfirmed addresses as confirmed.
for model in (Authenticator, EmailAddress, UserSession):
    if admin.site.is_registered(model):
        admin.site.unregister(model)


class CheckedList(ChangeList):
    """A list that refuses a filter value the database cannot compare, like an unknown filter.

    Django checks the filter's type; a number too large for a column, or a text that is not an IP address, fails later.
    """

    def get_results(self, request: HttpRequest) -> None:
        try:
            super().get_results(request)
        except (DataError, OverflowError, ValueError) as error:
            raise IncorrectLookupParameters(error) from error


class CheckedListMixin:
    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        words, is_cut = words_of(search_term)
        if is_cut:
            messages.warning(request, CUT)
        found: tuple[QuerySet, bool] = super().get_search_results(request, queryset, " ".join(words))  # type: ignore[misc]
        return found

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return CheckedList


class ReadOnlyAdmin(CheckedListMixin, admin.ModelAdmin):
    """Read-only: the import and the workers write these rows, and manual changes would break their invariants."""

    list_per_page = 50
    show_full_result_count = False  # would count a large table a second time for each search

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        try:
            return super().get_object(request, object_id, from_field)
        except OverflowError:  # SQLite, for a number too large for a key that is a foreign key
            return None


admin.site.unregister((User, Group))


@admin.register(User)
class OwnUserAdmin(CheckedListMixin, UserAdmin):
    """Django's own admin with our list, and without controls that a screen reader cannot name.

    These are the pairs of lists for groups and permissions, and the fields of times that only the site sets.
    """

    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined")


@admin.register(Group)
class OwnGroupAdmin(CheckedListMixin, GroupAdmin):
    """Django's own admin with our list, and with a list of permissions that a screen reader can name."""

    filter_horizontal = ()


@admin.register(DiscogsConnection)
class DiscogsConnectionAdmin(ReadOnlyAdmin):
    list_display = ("discogs_username", "state", "user", "kind", "copies", "connected_at", "last_success_at")
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
        "state",
        "error",
        "connection",
        "copies_read",
        "attempts",
        "started_at",
        "finished_at",
    )
    list_filter = ("state",)
    list_select_related = ("connection",)
    search_fields = ("connection__discogs_username",)
    ordering = ("-id",)

    @admin.display(description="copies read", ordering="instances_seen")
    def copies_read(self, row: ImportPass) -> str:
        return f"{row.instances_seen:,} of {row.instances_expected:,}"


@admin.register(ApiGate)
class ApiGateAdmin(ReadOnlyAdmin):
    list_display = (
        "egress",
        "breaker",
        "openings",
        "faults_in_a_row",
        "refusals",
        "answer_time",
        "requests",
        "pause_ends",
    )

    @admin.display(description="average answer", ordering="latency_ms")
    def answer_time(self, row: ApiGate) -> str:
        return f"{row.latency_ms:,.0f} ms" if row.latency_ms else "–"

    @admin.display(description="paused until", ordering="paused_until", empty_value="never")
    def pause_ends(self, row: ApiGate) -> datetime | None:
        return datetime.fromtimestamp(row.paused_until, tz=UTC) if row.paused_until else None


@admin.register(ApiMinute)
class ApiMinuteAdmin(ReadOnlyAdmin):
    list_display = ("minute", "egress", "requests", "faults", "refusals", "average", "slowest")
    list_filter = ("egress",)
    ordering = ("-minute", "egress")
    list_per_page = 60

    @admin.display(description="average answer")
    def average(self, row: ApiMinute) -> str:
        average = average_ms(
            requests=row.requests,
            faults=row.faults,
            refusals=row.refusals,
            latency_ms_sum=row.latency_ms_sum,
        )
        return "–" if average is None else f"{average:,.0f} ms"

    @admin.display(description="slowest answer", ordering="latency_ms_max")
    def slowest(self, row: ApiMinute) -> str:
        return f"{row.latency_ms_max:,} ms" if row.latency_ms_max else "–"


@admin.register(Authenticator)
class AuthenticatorAdmin(ReadOnlyAdmin):
    list_display = ("user", "type", "created_at", "last_used_at")
    list_filter = ("type",)
    list_select_related = ("user",)
    search_fields = ("user__username", "user__email")
    exclude = ("data",)


@admin.register(EmailAddress)
class EmailAddressAdmin(ReadOnlyAdmin):
    list_display = ("email", "user", "verified", "primary")
    list_filter = ("verified",)
    list_select_related = ("user",)
    search_fields = ("email", "user__username")


@admin.register(UserSession)
class UserSessionAdmin(ReadOnlyAdmin):
    list_display = ("user", "created_at", "last_seen_at", "ip", "user_agent")
    list_select_related = ("user",)
    search_fields = ("user__username", "user__email")
    exclude = ("session_key", "data")


@admin.register(Preferences)
class PreferencesAdmin(ReadOnlyAdmin):
    list_display = ("user", "sync_every_hours", "currency", "locale", "time_zone", "hides_amounts")
    list_filter = ("sync_every_hours", "currency", "hides_amounts")
    list_select_related = ("user",)
    search_fields = ("user__username",)


@admin.register(Capability)
class CapabilityAdmin(ReadOnlyAdmin):
    list_display = ("name", "is_available", "checked_at")
    ordering = ("name",)
