"""Deleting an account. It is here, not with the other account pages, because it ends sync runs."""

from typing import cast

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from collections_app.connections.lookup import connection_of, copies_held
from pricing.retention.erase import LastAdministrator, erase_account


@require_http_methods(["GET", "HEAD", "POST"])
@reauthentication_required(app="allauth.account")
def delete_account(request: HttpRequest) -> HttpResponse:
    """Ask for the password, say what will be erased, then erase the account with everything in it."""
    user = cast(User, request.user)
    if request.method != "POST":
        context = {"connection": connection_of(user.pk), "copies": copies_held(user.pk)}
        return render(request, "pages/account_delete.html", context)
    try:
        erase_account(user, now=timezone.now())
    except LastAdministrator:
        messages.error(
            request,
            "You are the last administrator of this site, so your account stays and nothing was erased. Give "
            "someone else this role in the administration first.",
        )
        return redirect("account_delete")
    logout(request)
    messages.success(request, "Your account and everything in it were erased here.")
    return redirect("landing")
