"""Every page that shows a price or a sync. A view finds what belongs to the user; queries do the reading."""

import logging
from datetime import timedelta

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from collections_app.accounts.limits import limited
from collections_app.accounts.owner import owner_of
from collections_app.connections.lookup import collection_path, connection_of
from collections_app.discogs import gate
from collections_app.models import DiscogsConnection, Release
from collections_app.search import CUT
from pricing.models import SyncRun
from pricing.pages import queries
from pricing.pages.charts import DEFAULT_RANGE
from pricing.sync import planner

logger = logging.getLogger(__name__)

# The session remembers the range last chosen, on every page with a chart.
RANGE_KEY = "range"


def _range_of(request: HttpRequest) -> str:
    asked = request.GET.get("range", "")
    if asked and asked != request.session.get(RANGE_KEY):
        request.session[RANGE_KEY] = asked[:8]
    return str(asked or request.session.get(RANGE_KEY, DEFAULT_RANGE))


def _connected(connection: DiscogsConnection | None) -> dict[str, object]:
    return {"connection": connection, "collection_path": collection_path(connection)}


def _run_of(request: HttpRequest, run_id: int) -> SyncRun:
    return get_object_or_404(SyncRun.objects.of(owner_of(request)).select_related("import_pass"), pk=run_id)


@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    now, user_id = timezone.now(), owner_of(request)
    connection = connection_of(user_id)
    if connection is None:
        return render(request, "pages/welcome.html")
    group = request.GET.get("group", "")
    board = queries.dashboard_for(
        user_id,
        range_key=_range_of(request),
        group=group if group in queries.GROUPINGS else queries.DEFAULT_GROUPING,
        now=now,
    )
    progress = queries.progress_now(user_id, now=now)
    context = {"board": board, "headline": board.headline, "progress": progress, **_connected(connection)}
    return render(request, "pages/dashboard.html", context)


@require_safe
def headline(request: HttpRequest) -> HttpResponse:
    """The live part of the dashboard; it asks again by itself as long as a run is active."""
    now, user_id = timezone.now(), owner_of(request)
    context = {
        "headline": queries.headline_for(user_id, range_key=_range_of(request), now=now),
        "progress": queries.progress_now(user_id, now=now),
        **_connected(connection_of(user_id)),
    }
    response = render(request, "pages/_headline.html", context)
    if context["progress"] is None:
        response["HX-Refresh"] = "true"  # the sync is over: movers, groups and chart have changed too
    return response


@require_safe
def collection(request: HttpRequest) -> HttpResponse:
    now, user_id = timezone.now(), owner_of(request)
    connection = connection_of(user_id)
    if connection is None:
        return redirect("connect")
    view = queries.ListQuery.of(request.GET)
    try:
        page = queries.collection_for(user_id, view, now=now)
    except queries.TookTooLong:
        logger.warning("a search in the collection of user %s took too long and was stopped", user_id)
        return render(request, "pages/search_too_long.html", status=503)
    context = {"page": page, "view": page.view, "search_cut": CUT, **_connected(connection)}
    return render(request, "pages/collection.html", context)


@require_safe
def release(request: HttpRequest, discogs_id: int) -> HttpResponse:
    try:
        page = queries.release_for(
            owner_of(request), discogs_id, range_key=_range_of(request), now=timezone.now()
        )
    except Release.DoesNotExist:
        raise Http404 from None
    return render(request, "pages/release.html", {"page": page, "release": page.release})


@require_POST
@limited("check", "60/h")
def release_check(request: HttpRequest, discogs_id: int) -> HttpResponse:
    """Ask Discogs for one release at once."""
    now = timezone.now()
    try:
        queries.release_for(owner_of(request), discogs_id, range_key=DEFAULT_RANGE, now=now)
    except Release.DoesNotExist:
        raise Http404 from None
    if planner.check_release(discogs_id, now=now):
        messages.info(request, "Discogs is being asked now. Reload the page in a moment to see the answer.")
    else:
        messages.info(request, "This price was checked less than a minute ago.")
    return redirect("release", discogs_id=discogs_id)


# Syncs ----------------------------------------------------------------------------------------------


def _progress_context(request: HttpRequest, run_id: int) -> dict[str, object]:
    now, run = timezone.now(), _run_of(request, run_id)
    progress = queries.progress_of(run, now=now)
    left = progress.seconds_left
    ends_at = None if left is None or not run.is_active else now + timedelta(seconds=left)
    connected = _connected(connection_of(owner_of(request)))
    return {"run": run, "progress": progress, "gate": gate.status(), "ends_at": ends_at, **connected}


@require_safe
def syncs(request: HttpRequest) -> HttpResponse:
    user_id = owner_of(request)
    context = {"runs": queries.runs_for(user_id), "connection": connection_of(user_id)}
    return render(request, "pages/syncs.html", context)


@require_safe
def sync_run(request: HttpRequest, run_id: int) -> HttpResponse:
    return render(request, "pages/sync_run.html", _progress_context(request, run_id))


@require_safe
def sync_progress(request: HttpRequest, run_id: int) -> HttpResponse:
    return render(request, "pages/_progress.html", _progress_context(request, run_id))


@require_safe
def sync_bar(request: HttpRequest) -> HttpResponse:
    """The progress in the header of every page."""
    return render(request, "pages/_bar.html")


@require_POST
def sync_start(request: HttpRequest) -> HttpResponse:
    user_id = owner_of(request)
    if connection_of(user_id) is None:
        return redirect("connect")
    active = queries.active_run_of(user_id)  # joining one is not limited
    return redirect("sync_run", run_id=active.pk) if active else _begin_sync(request)


@limited("sync", "30/h")
def _begin_sync(request: HttpRequest) -> HttpResponse:
    try:
        run = planner.start_sync(request.user, trigger=SyncRun.Trigger.CLICK, now=timezone.now())
    except planner.NotConnected:
        return redirect("connect")  # disconnected this very moment, on another page
    return redirect("sync_run", run_id=run.pk)


@require_POST
def sync_pause(request: HttpRequest, run_id: int) -> HttpResponse:
    planner.pause_run(_run_of(request, run_id), now=timezone.now())
    return redirect("sync_run", run_id=run_id)


@require_POST
def sync_resume(request: HttpRequest, run_id: int) -> HttpResponse:
    planner.resume_run(_run_of(request, run_id), now=timezone.now())
    return redirect("sync_run", run_id=run_id)


@require_POST
def sync_cancel(request: HttpRequest, run_id: int) -> HttpResponse:
    planner.cancel_run(_run_of(request, run_id), now=timezone.now())
    return redirect("sync_run", run_id=run_id)


@require_POST
def sync_retry(request: HttpRequest, run_id: int) -> HttpResponse:
    again = planner.retry_failed(_run_of(request, run_id), now=timezone.now())
    messages.info(
        request, f"{again:,} failed releases are tried again." if again else "Nothing is left to retry."
    )
    return redirect("sync_run", run_id=run_id)
