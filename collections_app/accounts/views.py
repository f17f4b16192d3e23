"""Account pages that django-allauth does not have, or not like this."""

import time
from typing import Any

from allauth.account.internal.flows.password_reset_by_code import PASSWORD_RESET_VERIFICATION_SESSION_KEY
from allauth.account.internal.stagekit import stash_login
from allauth.account.views import ConfirmEmailVerificationCodeView
from allauth.account.views import PasswordResetView as AllauthPasswordResetView
from allauth.account.views import SignupView as AllauthSignupView
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import User
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.decorators import method_decorator
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


@method_decorator(login_not_required, name="dispatch")
class ConfirmEmailView(ConfirmEmailVerificationCodeView):
    def _resend_form_valid(self, form: BaseForm) -> HttpResponse:
        """Send the email of the sign-up again: the code, or the one that says that the address has an account.

        allauth would send nothing in the second case, so the time of the answer would tell which it is. It would also
        make a new code, and an email that is late would be useless.
        """
        process: Any = self._process
        try:
            process.send()
        except ImmediateHttpResponse:  # the limit confirm_email
            messages.warning(
                self.request,
                "No email was sent now, because the last one has only just left, or several have within an hour. "
                "A code that you have still works. Wait a minute, then ask again.",
            )
        else:
            self._start_again(process)
            messages.success(self.request, "The email is on its way again.")
        return redirect(self.passthrough_next_url(self.request.path))

    def _start_again(self, process: Any) -> None:
        """Count the email, and start the time for which its code is valid again.

        The pending login ends after the same time. If it ended first, the page would go away for a new address only.
        """
        process.state["at"] = time.time()
        process.record_resend()
        process.persist()
        if self.stage:
            self.stage.login.initiated_at = process.state["at"]
            stash_login(self.request, self.stage.login)


class PasswordResetView(AllauthPasswordResetView):
    def form_valid(self, form: BaseForm) -> HttpResponse:
        is_repeated = PASSWORD_RESET_VERIFICATION_SESSION_KEY in self.request.session
        response: HttpResponse = super().form_valid(form)
        if is_repeated and response.status_code == 302:
            messages.success(
                self.request, "Another email is on its way. A code of an earlier one no longer works."
            )
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
