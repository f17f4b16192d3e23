"""Pages about the own account that django-allauth does not have."""

from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST


@require_POST
def end_session(request: HttpRequest, session_id: int) -> HttpResponse:
    """Log out one device of one's own."""
    session = get_object_or_404(UserSession, pk=session_id, user_id=request.user.pk)
    is_this_one = session.session_key == request.session.session_key
    session.end()
    if is_this_one:
        logout(request)
        messages.success(request, "You are logged out.")
        return redirect("landing")
    messages.success(request, "That session has ended.")
    return redirect("usersessions_list")
