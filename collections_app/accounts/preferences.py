"""What users choose for themselves, written down."""

from collections.abc import Mapping

from collections_app.models import Preferences


def save_preferences(user_id: int, chosen: Mapping[str, object]) -> Preferences:
    """Store some of a user's choices; the others stay, or are the defaults if nothing was stored yet."""
    preferences, _ = Preferences.objects.update_or_create(user_id=user_id, defaults=chosen)
    return preferences
