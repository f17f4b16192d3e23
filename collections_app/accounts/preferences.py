"""Store the preferences of users."""

from collections.abc import Mapping

from collections_app.models import Preferences


def save_preferences(user_id: int, chosen: Mapping[str, object]) -> Preferences:
    """Store some of a user's preferences; the others stay, or get their defaults if none were stored yet."""
    preferences, _ = Preferences.objects.update_or_create(user_id=user_id, defaults=chosen)
    return preferences
