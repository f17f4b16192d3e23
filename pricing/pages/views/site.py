"""Pages without a price: landing and settings."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation.trans_real import parse_accept_lang_header
from django.views.decorators.http import require_safe

from collections_app.accounts.users import owner_of
from collections_app.connections.lookup import connection_of, copies_held, preferences_of
from collections_app.web.compression import compressed
from pricing.money.locales import best_of
from pricing.pages.forms import PreferencesForm


@require_safe
@login_not_required
@compressed
def landing(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return redirect("dashboard")
    return render(request, "pages/landing.html")


@require_safe
def settings(request: HttpRequest) -> HttpResponse:
    return settings_page(request)


def settings_page(request: HttpRequest, *, preferences: PreferencesForm | None = None) -> HttpResponse:
    """All settings; `preferences` is a submitted form with errors."""
    user_id = owner_of(request)
    context = {
        "connection": connection_of(user_id),
        "copies": copies_held(user_id),
        "preferences": preferences
        or PreferencesForm(
            instance=preferences_of(user_id),
            suggested=_locale_asked_for(request),
            offers_all_zones=request.GET.get("zones") == "all",
        ),
    }
    return render(request, "pages/settings.html", context)


def _locale_asked_for(request: HttpRequest) -> str:
    """The offered locale nearest to those in the header Accept-Language."""
    asked = parse_accept_lang_header(request.headers.get("Accept-Language", ""))
    return best_of(tag for tag, _ in asked)
