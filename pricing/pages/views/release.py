"""The page of one release, and checking its price at once."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from collections_app.accounts.limits import limited
from collections_app.accounts.users import owner_of
from collections_app.connections.lookup import connection_of
from collections_app.models import Decision, Release
from collections_app.web.compression import compressed
from pricing.pages import queries
from pricing.pages.charts import DEFAULT_RANGE
from pricing.pages.views._shared import connected, range_of
from pricing.sync import runs
from pricing.value.decisions import decide

DECIDED = {
    Decision.COUNT: "Your copies of this release count at their lowest listing now.",
    Decision.NEVER: "Your copies of this release are left out of every total until you change that.",
    Decision.NONE: "Your decision is withdrawn. A price that looks wrong is held back again.",
}


@require_safe
@compressed
def release(request: HttpRequest, discogs_id: int) -> HttpResponse:
    user_id = owner_of(request)
    try:
        page = queries.release_for(user_id, discogs_id, range_key=range_of(request), now=timezone.now())
    except Release.DoesNotExist:
        raise Http404 from None
    context = {"page": page, "release": page.release, **connected(connection_of(user_id))}
    return render(request, "pages/release.html", context)


@require_POST
@limited("check", "60/h")
def release_check(request: HttpRequest, discogs_id: int) -> HttpResponse:
    """Fetch the price of one release now."""
    now = timezone.now()
    try:
        queries.release_for(owner_of(request), discogs_id, range_key=DEFAULT_RANGE, now=now)
    except Release.DoesNotExist:
        raise Http404 from None
    if runs.check_release(discogs_id, now=now):
        messages.info(request, "Discogs is being asked now. Reload the page in a moment to see the answer.")
    else:
        messages.info(request, "This price was checked less than a minute ago.")
    return redirect("release", discogs_id=discogs_id)


@require_POST
def release_decision(request: HttpRequest, discogs_id: int, decision: Decision) -> HttpResponse:
    """Store what the owner decides about the price of a release they hold."""
    if not decide(owner_of(request), discogs_id, decision, now=timezone.now()):
        raise Http404
    messages.success(request, DECIDED[decision])
    return redirect("release", discogs_id=discogs_id)
