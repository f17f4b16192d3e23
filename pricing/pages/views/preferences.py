"""What users choose for themselves: saved here, since prices follow from it."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from collections_app.accounts.users import owner_of, save_preferences
from collections_app.connections.lookup import preferences_of
from pricing.pages.forms import PreferencesForm
from pricing.pages.views.site import settings_page
from pricing.sources import exchange_rates
from pricing.value.cascade import Basis


@require_POST
def preferences(request: HttpRequest) -> HttpResponse:
    """Save the form of the settings page, or show its errors beside the fields."""
    form = PreferencesForm(request.POST, instance=preferences_of(owner_of(request)))
    if not form.is_valid():
        messages.error(
            request, "Your preferences were not saved; they are as before. Correct the marked field below."
        )
        return settings_page(request, preferences=form)
    with transaction.atomic():
        chosen = save_preferences(owner_of(request), form.cleaned_data)
        exchange_rates.request_rate(chosen.currency, now=timezone.now())
    messages.success(request, "Saved.")
    return redirect("settings")


@require_POST
def amounts(request: HttpRequest) -> HttpResponse:
    """Hide or show all amounts. The form says which, so a double click does no harm."""
    save_preferences(owner_of(request), {"hides_amounts": request.POST.get("hide") == "1"})
    return HttpResponseRedirect(_back_to(request.POST.get("next", "")))


@require_POST
def basis(request: HttpRequest) -> HttpResponse:
    """Choose the basis of all values; an unknown one changes nothing."""
    chosen = request.POST.get("basis", "")
    if chosen in Basis.values:
        save_preferences(owner_of(request), {"basis": chosen})
    return HttpResponseRedirect(_back_to(request.POST.get("next", "")))


def _back_to(address: str) -> str:
    """The address the form came from, if it is on this site (no host); otherwise the dashboard."""
    is_ours = address.startswith("/") and url_has_allowed_host_and_scheme(address, allowed_hosts=None)
    return address if is_ours else reverse("dashboard")
