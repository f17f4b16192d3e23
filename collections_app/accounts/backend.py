"""Password check with the same work and the same answer, whether the name is known or not."""

from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.models import EmailAddress
from django.contrib.auth.models import User


class ConstantTimeBackend(AuthenticationBackend):
    """Authenticate by user name or email address. Django creates a new backend for each attempt.

    allauth looks for a user by name, by address and by both, and hashes the password each time it finds one, so the
    answer for a known address would take longer than for an unknown one. Here each user is checked once.
    """

    def __init__(self) -> None:
        self._checked: dict[int, User | None] = {}

    def _check_password(self, user: User | None, password: str) -> User | None:
        if user is None:
            return None
        if user.pk not in self._checked:
            right = super()._check_password(user, password)
            self._checked[user.pk] = None if right is None or _is_unconfirmed(right) else right
        return self._checked[user.pk]


def _is_unconfirmed(user: User) -> bool:
    """Whether this account was made by signing up with an address that was never confirmed.

    If its password were accepted, signing up for an address and then logging in would tell whether it was taken. Staff
    accounts are made by command and confirm their address at the first login.
    """
    if user.is_staff:
        return False
    addresses = EmailAddress.objects.filter(user_id=user.pk).values_list("verified", flat=True)
    return bool(addresses) and not any(addresses)
