"""Account pages that django-allauth does not have."""

from allauth.account.views import SignupView as AllauthSignupView
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.models import User
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from collections_app.accounts.adapters import MailNotSent


class SignupView(AllauthSignupView):
    user: User | None = None  # the new account; None if the address already has one

    def form_valid(self, form: BaseForm) -> HttpResponse:
        """Delete the new account if its mail cannot be sent: without the code it is useless and blocks the address."""
        try:
            response: HttpResponse = super().form_valid(form)
        except MailNotSent:
            if self.user is not None:
                self.user.delete()
            raise
        return response


@require_POST
def end_session(request: HttpRequest, session_id: int) -> HttpResponse:
    """Log out one of the user's own devices."""
    session = get_object_or_404(UserSession, pk=session_id, user_id=request.user.pk)
    is_this_one = session.session_key == request.session.session_key
    session.end()
    if is_this_one:
        logout(request)
        messages.success(request, "You are logged out.")
        return redirect("landing")
    messages.success(request, "That session has ended.")
    return redirect("usersessions_list")
