"""The dashboard and its live part."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from collections_app.accounts.users import owner_of
from collections_app.connections.lookup import connection_of
from collections_app.importing.last_reading import last_reading
from collections_app.web.compression import compressed
from pricing.money import display
from pricing.pages import queries
from pricing.pages.views._shared import connected, range_of
from pricing.value.cascade import Basis


@require_safe
@compressed
def dashboard(request: HttpRequest) -> HttpResponse:
    now, user_id = timezone.now(), owner_of(request)
    connection = connection_of(user_id)
    if connection is None:
        return render(request, "pages/welcome.html")
    group = request.GET.get("group", "")
    board = queries.dashboard_for(
        user_id,
        range_key=range_of(request),
        group=group if group in queries.GROUPINGS else queries.DEFAULT_GROUPING,
        now=now,
        basis=Basis(display.current().basis),
        by_amount=request.GET.get("by") == "amount",
        chart=request.GET.get("chart", ""),
    )
    context = {
        "board": board,
        "headline": board.headline,
        "definitions": board.definitions,
        "live": queries.live_for(user_id, connection_state=connection.state, now=now),
        "reading": last_reading(connection),
        **connected(connection),
    }
    return render(request, "pages/dashboard.html", context)


@require_safe
@compressed
def headline(request: HttpRequest) -> HttpResponse:
    """The live part of the dashboard; it polls while a run is active."""
    now, user_id = timezone.now(), owner_of(request)
    connection = connection_of(user_id)
    state = connection.state if connection else ""
    context = {
        "headline": queries.headline_for(
            user_id, range_key=range_of(request), now=now, basis=Basis(display.current().basis)
        ),
        "live": queries.live_for(user_id, connection_state=state, now=now),
        "reading": last_reading(connection),
        **connected(connection),
    }
    response = render(request, "pages/_headline.html", context)
    if context["live"] is None:
        response["HX-Refresh"] = "true"  # the sync is over: movers, groups and chart have changed too
    return response
