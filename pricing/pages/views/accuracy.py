"""How right the value is, and the run that narrows its band."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from collections_app.accounts.limits import limited
from collections_app.accounts.users import owner_of
from collections_app.connections.lookup import connection_of
from collections_app.web.compression import compressed
from pricing.money import display
from pricing.money.convert import PRICE_CURRENCY
from pricing.pages import queries
from pricing.pages.views._shared import connected
from pricing.sync import runs
from pricing.value.cascade import Basis


@require_safe
@compressed
def accuracy(request: HttpRequest) -> HttpResponse:
    now, user_id = timezone.now(), owner_of(request)
    connection = connection_of(user_id)
    if connection is None:
        return redirect("connect")
    page = queries.accuracy_page_for(user_id, now=now, basis=Basis(display.current().basis))
    context = {"page": page, "currency": PRICE_CURRENCY, **connected(connection)}
    return render(request, "pages/accuracy.html", context)


@require_POST
def narrow(request: HttpRequest) -> HttpResponse:
    """Start the run that narrows the band the most."""
    user_id = owner_of(request)
    if connection_of(user_id) is None:
        return redirect("connect")
    active = queries.active_run_of(user_id)  # joining one is not limited
    return redirect("sync_run", run_id=active.pk) if active else _begin_narrowing(request)


@limited("sync", "30/h")
def _begin_narrowing(request: HttpRequest) -> HttpResponse:
    now, user_id = timezone.now(), owner_of(request)
    plan = queries.narrowing_for(user_id, now=now)
    if plan is None:
        messages.info(
            request, "Nothing was fetched: your prices are recent enough, so it would change little."
        )
        return redirect("accuracy")
    try:
        run = runs.start_narrowing(user_id, plan, now=now)
    except runs.NotConnected:
        return redirect("connect")  # disconnected at the same moment, on another page
    return redirect("sync_run", run_id=run.pk)
