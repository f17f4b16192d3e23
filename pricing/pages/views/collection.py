"""The list of the collection."""

import logging

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from collections_app.accounts.users import owner_of
from collections_app.connections.lookup import connection_of
from collections_app.importing.last_reading import last_reading
from collections_app.search import CUT
from collections_app.web.compression import compressed
from pricing.money import display
from pricing.pages import queries
from pricing.pages.views._shared import connected

logger = logging.getLogger(__name__)


@require_safe
@compressed
def collection(request: HttpRequest) -> HttpResponse:
    now, user_id = timezone.now(), owner_of(request)
    connection = connection_of(user_id)
    if connection is None:
        return redirect("connect")
    query = queries.ListQuery.of(request.GET, display.current().basis)
    is_printed = request.GET.get("print") == "all"
    try:
        page = (queries.printed_for if is_printed else queries.collection_for)(user_id, query, now=now)
    except queries.TookTooLong:
        logger.warning("a search in the collection of user %s took too long and was stopped", user_id)
        return render(request, "pages/search_too_long.html", status=503)
    context = {
        "page": page,
        "view": page.query,
        "search_cut": CUT,
        "reading": last_reading(connection),
        **connected(connection),
    }
    return render(request, f"pages/{'collection_print' if is_printed else 'collection'}.html", context)
