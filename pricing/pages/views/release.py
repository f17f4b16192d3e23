"""The page of one release, and checking its price at once."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from collections_app.accounts.limits import limited
from collections_app.accounts.users import owner_of
from collections_app.connections.lookup import connection_of
from collections_app.models import CollectionInstance, Decision, OwnValue, Release
from collections_app.web.compression import compressed
from pricing.money.display import current
from pricing.pages import queries
from pricing.pages.charts import DEFAULT_RANGE
from pricing.pages.own_value_forms import OwnValueForm
from pricing.pages.queries.own_values import own_values_of
from pricing.pages.views._shared import connected, range_of
from pricing.sync import runs
from pricing.value.decisions import decide

DECIDED = {
    Decision.COUNT: "Your copies of this release count at their lowest listing now.",
    Decision.NEVER: "Your copies of this release are left out of every total until you change that.",
    Decision.NONE: "Your decision is withdrawn. A price that looks wrong is held back again.",
}


@dataclass(frozen=True, slots=True)
class OwnCopy:
    """A copy of the user's, with the value they have set for it and the form to change that."""

    copy: CollectionInstance
    own: OwnValue | None
    form: OwnValueForm | None  # None: removed, so its value is history


@require_safe
@compressed
def release(request: HttpRequest, discogs_id: int) -> HttpResponse:
    return release_page(request, discogs_id)


def release_page(
    request: HttpRequest, discogs_id: int, *, typed: Mapping[int, OwnValueForm] | None = None
) -> HttpResponse:
    """The page; `typed` are submitted forms with errors, by the copy they are about."""
    user_id = owner_of(request)
    try:
        page = queries.release_for(user_id, discogs_id, range_key=range_of(request), now=timezone.now())
    except Release.DoesNotExist:
        raise Http404 from None
    context = {
        "page": page,
        "release": page.release,
        "own_copies": _own_copies(page.copies, typed or {}),
        **connected(connection_of(user_id)),
    }
    return render(request, "pages/release.html", context)


def ids_of(copy: CollectionInstance) -> str:
    """What the ids of the controls about a copy begin with: the page has a form for each."""
    return f"copy_{copy.pk}"


def _own_copies(copies: list[CollectionInstance], typed: Mapping[int, OwnValueForm]) -> list[OwnCopy]:
    own, shown = own_values_of(copies), current()
    return [
        OwnCopy(
            copy=copy,
            own=own.get(copy.pk),
            form=None
            if copy.removed_at
            else typed.get(copy.pk)
            or OwnValueForm(shown=shown, prefix_of_ids=ids_of(copy), own=own.get(copy.pk)),
        )
        for copy in copies
    ]


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
