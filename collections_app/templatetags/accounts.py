"""Filters for the account pages."""

from allauth.mfa.models import Authenticator
from django import template
from django.contrib.auth.models import User

from collections_app.accounts import sessions

register = template.Library()


@register.filter
def device(user_agent: str) -> str:
    return sessions.device_in_words(user_agent)


@register.filter
def has_two_factor(user: User) -> bool:
    return Authenticator.objects.filter(user_id=user.pk, type=Authenticator.Type.TOTP).exists()
