"""Find a user, confirm an address and store preferences."""

from collections.abc import Mapping
from typing import cast

from allauth.account.models import EmailAddress
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.http import HttpRequest

from collections_app.models import Preferences


def owner_of(request: HttpRequest) -> int:
    """The id of the signed-in user; LoginMiddleware refuses anonymous requests before."""
    return cast(int, request.user.pk)


def find_user(text: str) -> User | None:
    """The user with this name, else with this confirmed or unambiguous address; None if there is none."""
    users = get_user_model().objects
    named = users.filter(username=text).first()
    if named is not None or "@" not in text:
        return named
    address = EmailAddress.objects.select_related("user").filter(email=text.lower(), verified=True).first()
    if address is not None:
        return address.user
    matches = list(users.filter(email__iexact=text)[:2])
    return matches[0] if len(matches) == 1 else None


def confirm_address(user: User, address: str) -> bool:
    """Make an address the confirmed one of a user. False, with nothing changed, if another account confirmed it."""
    address = address.lower()
    taken = EmailAddress.objects.exclude(user_id=user.pk).filter(email=address, verified=True)
    if taken.exists():
        return False
    EmailAddress.objects.filter(user_id=user.pk).exclude(email=address).delete()
    EmailAddress.objects.update_or_create(
        user=user, email=address, defaults={"verified": True, "primary": True}
    )
    user.email = address
    user.save(update_fields=["email"])
    return True


def save_preferences(user_id: int, chosen: Mapping[str, object]) -> Preferences:
    """Store some of a user's preferences; the others stay, or get their defaults if none were stored yet."""
    preferences, _ = Preferences.objects.update_or_create(user_id=user_id, defaults=chosen)
    return preferences
