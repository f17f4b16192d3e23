"""Checks a name and a password with the same work, whether the name is known or not."""

from allauth.account.auth_backends import AuthenticationBackend
from django.contrib.auth.models import User


class EvenBackend(AuthenticationBackend):
    """By user name or email address. Django makes a new one for each attempt.

    allauth looks for a user by name, by address and by both mixed up, and hashes the password each time it finds
    one: a known address would answer later than an unknown one. Here each user is checked once.
    """

    def __init__(self) -> None:
        self._checked: dict[int, User | None] = {}

    def _check_password(self, user: User | None, password: str) -> User | None:
        if user is None:
            return None
        if user.pk not in self._checked:
            self._checked[user.pk] = super()._check_password(user, password)
        return self._checked[user.pk]
