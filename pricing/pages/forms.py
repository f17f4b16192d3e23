"""The forms for the Discogs token and for preferences."""

from itertools import groupby
from zoneinfo import available_timezones

from django import forms

from collections_app.currencies import CURRENCIES
from collections_app.models import Preferences

# A personal access token has 40 characters; anything far longer was pasted by mistake.
LONGEST_TOKEN = 200
# The rest of the IANA database is old names, whole countries, and offsets whose sign is reversed.
REGIONS = frozenset(
    {
        "Africa",
        "America",
        "Antarctica",
        "Asia",
        "Atlantic",
        "Australia",
        "Europe",
        "Indian",
        "Pacific",
    }
)

ZoneChoices = list[tuple[str, str] | tuple[str, list[tuple[str, str]]]]


class ConnectForm(forms.Form):
    """A personal access token. It is never shown again, not even after an error."""

    token = forms.CharField(
        label="Personal access token",
        max_length=LONGEST_TOKEN,
        widget=forms.PasswordInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}, render_value=False
        ),
        error_messages={
            "required": "Paste your token first.",
            "max_length": "That is too long for a token. Copy it again from Discogs and paste only the token.",
        },
    )


def zone_choices() -> ZoneChoices:
    """UTC, and the cities of the IANA database by region."""
    names = sorted(name for name in available_timezones() if name.partition("/")[0] in REGIONS)
    regions = groupby(names, key=lambda name: name.partition("/")[0])
    return [("UTC", "UTC"), *((region, [_place(name) for name in places]) for region, places in regions)]


def _place(name: str) -> tuple[str, str]:
    """America/Indiana/Knox is shown as Indiana, Knox below its region."""
    return name, name.partition("/")[2].replace("/", ", ").replace("_", " ")


def currency_choices() -> list[tuple[str, str]]:
    return [(code, f"{code} – {currency.name}") for code, currency in CURRENCIES.items()]


class PreferencesForm(forms.ModelForm):
    """How often to sync, and how everything is shown."""

    currency = forms.ChoiceField(
        choices=currency_choices,
        help_text="Discogs gives prices in US dollars. They are converted for you at its own rate.",
        error_messages={"invalid_choice": "Discogs does not know this currency. Choose one from the list."},
    )
    time_zone = forms.ChoiceField(
        label="Time zone",
        choices=zone_choices,
        help_text="For times on every page. The days of a history begin at midnight UTC for everyone.",
        error_messages={"invalid_choice": "This time zone is not known here. Choose one from the list."},
    )

    class Meta:
        model = Preferences
        fields = ("sync_every_hours", "currency", "time_zone", "hides_amounts")
        labels = {"sync_every_hours": "Sync", "hides_amounts": "Hide amounts"}
        help_texts = {
            "hides_amounts": "Shows ••• in place of every amount. Counts, percentages and the shape of charts stay."
        }
        error_messages = {"sync_every_hours": {"invalid_choice": "Choose one of the intervals in the list."}}
