"""What owners say a copy of theirs is worth: for one copy on its release's page, or for all copies of a list."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from collections_app.accounts.limits import limited
from collections_app.accounts.users import owner_of
from collections_app.connections.lookup import connection_of
from collections_app.models import CollectionInstance
from pricing.money import format as written
from pricing.money.display import current
from pricing.pages.own_value_forms import OwnValueForm
from pricing.pages.queries import ListQuery, TookTooLong
from pricing.pages.tables.selection import Selection, selection_for
from pricing.pages.views.release import ids_of, release_page
from pricing.sync.value_requests import request_value
from pricing.value.own import MAX_COPIES, set_own, withdraw_own


@dataclass(frozen=True, slots=True)
class Change:
    """A value to set, or a withdrawal. `form` is what was typed, and valid."""

    form: OwnValueForm | None

    def make(self, user_id: int, copy_ids: list[int], *, now: datetime) -> int:
        """Change the copies and request the total again; returns how many copies were changed."""
        with transaction.atomic():
            if self.form is None:
                changed = withdraw_own(user_id, copy_ids, now=now)
            else:
                changed = set_own(
                    user_id,
                    copy_ids,
                    amount_minor=self.form.minor,
                    currency=self.form.shown.currency,
                    note=self.form.cleaned_data["note"],
                    now=now,
                )
            if changed:
                request_value(user_id, now=now)
        return changed


@require_POST
def copy_value(request: HttpRequest, copy_id: int) -> HttpResponse:
    """Set or withdraw the owner's value of one copy."""
    user_id = owner_of(request)
    copy = CollectionInstance.objects.of(user_id).held().filter(pk=copy_id).first()
    if copy is None:
        raise Http404
    withdraws = request.POST.get("action") == "withdraw"
    form = None if withdraws else OwnValueForm(request.POST, shown=current(), prefix_of_ids=ids_of(copy))
    if form is not None and not form.is_valid():
        messages.error(request, "Your value was not saved; it is as before. Correct the marked field below.")
        return release_page(request, copy.release_id, typed={copy.pk: form})
    changed = Change(form).make(user_id, [copy.pk], now=timezone.now())
    if withdraws:
        messages.success(request, "Your value is withdrawn. The copy counts at its market price again.")
    elif changed:
        messages.success(request, "Your value is saved. It counts in place of every market price.")
    else:
        raise Http404  # removed at this moment
    return redirect("release", discogs_id=copy.release_id)


@require_http_methods(["GET", "HEAD", "POST"])
@limited("bulk_values", "120/h")
def bulk_values(request: HttpRequest) -> HttpResponse:
    """Set or withdraw the owner's value of all copies of a list: asked for, confirmed with their number, then done."""
    now, user_id = timezone.now(), owner_of(request)
    if connection_of(user_id) is None:
        return redirect("connect")
    try:
        selection = selection_for(user_id, ListQuery.of(request.GET), now=now)
    except TookTooLong:
        return render(request, "pages/search_too_long.html", status=503)
    if request.method == "POST" and selection.copies and not selection.is_too_large:
        return _submitted(request, selection, now=now)
    return _ask(request, selection, OwnValueForm(shown=current()))


def _submitted(request: HttpRequest, selection: Selection, *, now: datetime) -> HttpResponse:
    withdraws = request.POST.get("action") == "withdraw"
    form = OwnValueForm(None if withdraws else request.POST, shown=current())
    if not withdraws and not form.is_valid():
        messages.error(
            request, "Nothing was saved; every value is as before. Correct the marked field below."
        )
        return _ask(request, selection, form)
    if withdraws and not selection.valued:
        messages.info(request, "None of these copies has a value of yours, so nothing was changed.")
        return redirect(_list_of(request, selection))
    confirmed = request.POST.get("confirmed", "")
    if confirmed != selection.key:
        if confirmed:
            messages.warning(request, "The list has changed meanwhile. Nothing was saved; look at it again.")
        return _confirm(request, selection, form)
    changed = Change(None if withdraws else form).make(owner_of(request), selection.copy_ids, now=now)
    copies = f"{written.number(changed, current().locale)} {'copy' if changed == 1 else 'copies'}"
    done = "withdrawn from" if withdraws else "set for"
    messages.success(request, f"Your value is {done} {copies}.")
    return redirect(_list_of(request, selection))


def _ask(request: HttpRequest, selection: Selection, form: OwnValueForm) -> HttpResponse:
    context = {
        "selection": selection,
        "form": form,
        "max_copies": MAX_COPIES,
        "list": _list_of(request, selection),
    }
    return render(request, "pages/bulk_values.html", context)


def _confirm(request: HttpRequest, selection: Selection, form: OwnValueForm) -> HttpResponse:
    context = {
        "selection": selection,
        "form": form,
        "list": _list_of(request, selection),
        "withdraws": not form.is_bound,
    }
    return render(request, "pages/bulk_values_confirm.html", context)


def _list_of(request: HttpRequest, selection: Selection) -> str:
    """The address of the list that the selection was made of, at the same page."""
    parameters = selection.query.parameters
    if selection.query.page > 1:
        parameters["page"] = str(selection.query.page)
    address = reverse("collection")
    return f"{address}?{parameters.urlencode()}" if parameters else address
