"""Connecting to Discogs and disconnecting. Both are here because they start and end sync runs."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from collections_app.accounts.limits import limited
from collections_app.accounts.users import owner_of
from collections_app.connections import connect as connecting
from collections_app.connections.lookup import connection_of, copies_held
from collections_app.discogs import oauth
from collections_app.models import DiscogsConnection
from pricing.models import SyncRun
from pricing.pages.forms import ConnectForm
from pricing.retention.erase import erase_holdings
from pricing.sync import runs

# The session holds the id of the authorisation begun in it: a row's id, no secret.
AUTHORISATION_KEY = "authorisation"
NOT_CONNECTED = {
    connecting.AuthorisationDenied: "You did not allow it",
    connecting.AuthorisationExpired: "That took too long",
    connecting.AuthorisationUsed: "Used already",
    connecting.AuthorisationForeign: "Not begun here",
}


@require_http_methods(["GET", "HEAD", "POST"])
@limited("connect", "10/5m")
def connect(request: HttpRequest) -> HttpResponse:
    """Offer both ways to connect, and accept a token."""
    form = ConnectForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            connecting.connect_with_token(request.user, form.cleaned_data["token"], now=timezone.now())
        except connecting.ConnectRefused as refused:
            form.add_error("token", str(refused))
        else:
            return _first_sync(request)
    context = {"form": form, "connection": connection_of(owner_of(request)), "has_oauth": oauth.is_offered()}
    return render(request, "pages/connect.html", context)


@require_POST
@limited("connect", "10/5m")
def authorise(request: HttpRequest) -> HttpResponse:
    """Lead the browser to Discogs, which asks the user and sends it back to `authorised`.

    By a page of ours, not by a redirect: browsers apply `form-action` to every redirect after a form, and Discogs
    redirects further, to hosts for its login that we do not know.
    """
    if not oauth.is_offered():
        raise Http404
    callback = request.build_absolute_uri(reverse("authorised"))
    try:
        pending, address = connecting.begin_authorisation(request.user, callback=callback, now=timezone.now())
    except connecting.ConnectRefused as refused:
        messages.error(request, str(refused))
        return redirect("connect")
    request.session[AUTHORISATION_KEY] = str(pending.pk)
    return render(request, "pages/to_discogs.html", {"address": address})


@require_GET
def authorised(request: HttpRequest) -> HttpResponse:
    """Where Discogs sends the browser back to, with a verifier if the user agreed."""
    given = {name: request.GET.get(name, "") for name in ("oauth_token", "oauth_verifier", "denied")}
    try:
        connecting.finish_authorisation(
            request.user,
            request.session.get(AUTHORISATION_KEY, ""),
            token=given["oauth_token"] or given["denied"],
            verifier=given["oauth_verifier"],
            now=timezone.now(),
        )
    except connecting.ConnectRefused as refused:
        context = {
            "title": NOT_CONNECTED.get(type(refused), "Not connected"),
            "why": str(refused),
            "connection": connection_of(owner_of(request)),
            "has_oauth": oauth.is_offered(),
        }
        return render(request, "pages/not_connected.html", context)
    return _first_sync(request)


def _first_sync(request: HttpRequest) -> HttpResponse:
    """Start the first sync at once, so that there is something to see."""
    try:
        run = runs.start_sync(request.user, trigger=SyncRun.Trigger.CLICK, now=timezone.now())
    except runs.NotConnected:
        return redirect("connect")  # disconnected at the same moment, on another page
    return redirect("sync_run", run_id=run.pk)


@require_http_methods(["GET", "HEAD", "POST"])
def disconnect(request: HttpRequest) -> HttpResponse:
    """Ask for confirmation on a page of its own, then erase what came from Discogs."""
    user_id = owner_of(request)
    connection = get_object_or_404(DiscogsConnection, user_id=user_id)
    if request.method != "POST":
        context = {"connection": connection, "copies": copies_held(user_id)}
        return render(request, "pages/disconnect.html", context)
    erase_holdings(user_id, now=timezone.now())
    messages.success(request, "Disconnected. Your credential, collection and its history were erased here.")
    return redirect("dashboard")
