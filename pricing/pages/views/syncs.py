"""The list of syncs, the page of one, and starting, pausing and cancelling them."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from collections_app.accounts.limits import limited
from collections_app.accounts.users import owner_of
from collections_app.connections.lookup import connection_of
from collections_app.discogs import gate
from collections_app.web.compression import compressed
from pricing.models import SyncRun
from pricing.money.convert import PRICE_CURRENCY
from pricing.money.display import current
from pricing.money.format import number
from pricing.pages import queries
from pricing.pages.views._shared import connected
from pricing.sync import runs


def _run_of(request: HttpRequest, run_id: int) -> SyncRun:
    return get_object_or_404(SyncRun.objects.of(owner_of(request)).select_related("import_pass"), pk=run_id)


def _run_context(request: HttpRequest, run_id: int) -> dict[str, object]:
    now, run, connection = timezone.now(), _run_of(request, run_id), connection_of(owner_of(request))
    progress = queries.progress_of(run, now=now)
    live = queries.live_of(progress, connection_state=connection.state if connection else "", now=now)
    failures = queries.failures_of(progress, connection, now=now)
    context = {
        "run": run,
        "progress": progress,
        "line": live.line,
        "failures": failures,
        "found": queries.found_by(run),
        "currency": PRICE_CURRENCY,
        "gate": gate.status(),
    }
    if run.is_active:
        context["live"] = live  # also for the header
    return {**context, **connected(connection)}


@require_safe
@compressed
def syncs(request: HttpRequest) -> HttpResponse:
    user_id = owner_of(request)
    context = {
        "runs": queries.runs_for(user_id),
        "connection": connection_of(user_id),
        "currency": PRICE_CURRENCY,
    }
    return render(request, "pages/syncs.html", context)


@require_safe
@compressed
def sync_run(request: HttpRequest, run_id: int) -> HttpResponse:
    return render(request, "pages/sync_run.html", _run_context(request, run_id))


@require_safe
@compressed
def sync_progress(request: HttpRequest, run_id: int) -> HttpResponse:
    """The live part of a run's page, with the parts elsewhere on the page that must agree with it."""
    return render(request, "pages/_live_run.html", _run_context(request, run_id))


@require_safe
def sync_bar(request: HttpRequest) -> HttpResponse:
    """The progress in the header of every page, and the banner below it, which may follow from how the sync ended."""
    return render(request, "pages/_live_bar.html")


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
        run = runs.start_sync(request.user, trigger=SyncRun.Trigger.CLICK, now=timezone.now())
    except runs.ReconnectNeeded as needed:
        return _to_reconnect(request, needed)
    except runs.NotConnected:
        return redirect("connect")  # disconnected at the same moment, on another page
    return redirect("sync_run", run_id=run.pk)


def _to_reconnect(request: HttpRequest, needed: runs.ReconnectNeeded) -> HttpResponse:
    messages.error(request, str(needed))
    return redirect("connect")


@require_POST
def sync_pause(request: HttpRequest, run_id: int) -> HttpResponse:
    runs.pause_run(_run_of(request, run_id))
    return redirect("sync_run", run_id=run_id)


@require_POST
def sync_resume(request: HttpRequest, run_id: int) -> HttpResponse:
    runs.resume_run(_run_of(request, run_id))
    return redirect("sync_run", run_id=run_id)


@require_POST
def sync_cancel(request: HttpRequest, run_id: int) -> HttpResponse:
    runs.cancel_run(_run_of(request, run_id), now=timezone.now())
    return redirect("sync_run", run_id=run_id)


@require_POST
def sync_retry(request: HttpRequest, run_id: int) -> HttpResponse:
    try:
        again = runs.retry_failed(_run_of(request, run_id), now=timezone.now())
    except runs.ReconnectNeeded as needed:
        return _to_reconnect(request, needed)
    messages.info(request, _retried(again, queries.active_run_of(owner_of(request)), run_id))
    return redirect("sync_run", run_id=run_id)


def _retried(again: int, active: SyncRun | None, run_id: int) -> str:
    if again:
        releases = "release is" if again == 1 else "releases are"
        return f"{number(again, current().locale)} failed {releases} tried again."
    if active and active.pk != run_id:
        return "Nothing was retried, since another sync is active. Retry when it has ended."
    return "Nothing is left to retry."
