"""The forms for the Discogs token and for preferences."""

from collections.abc import Iterable
from decimal import Decimal
from functools import cache
from itertools import groupby
from typing import Any, cast
from zoneinfo import available_timezones

from django import forms
from django.urls import reverse
from django.utils.html import format_html

from collections_app.currencies import CURRENCIES
from collections_app.models import Preferences
from pricing.money import format as written
from pricing.money.convert import PRICE_CURRENCY
from pricing.money.locales import DEFAULT, TAGS, english_name, own_name

# A personal access token has 40 characters; anything far longer was pasted by mistake.
MAX_TOKEN_LENGTH = 200
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
# One of each widespread time, west to east; the page offers these first, because all are 480 options.
COMMON_ZONES = (
    "America/Los_Angeles",
    "America/Denver",
    "America/Chicago",
    "America/New_York",
    "America/Sao_Paulo",
    "Europe/London",
    "Europe/Berlin",
    "Europe/Athens",
    "Asia/Kolkata",
    "Asia/Shanghai",
    "Asia/Tokyo",
    "Australia/Sydney",
    "Pacific/Auckland",
)

ZoneChoices = list[tuple[str, str] | tuple[str, list[tuple[str, str]]]]


class ConnectForm(forms.Form):
    """A personal access token. It is never shown again, not even after an error."""

    token = forms.CharField(
        label="Personal access token",
        max_length=MAX_TOKEN_LENGTH,
        widget=forms.PasswordInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}, render_value=False
        ),
        error_messages={
            "required": "Paste your token first.",
            "max_length": "That is too long for a token. Copy it again from Discogs and paste only the token.",
        },
    )


@cache
def all_zones() -> frozenset[str]:
    """The cities of the IANA database. Python reads 600 files to find them."""
    return frozenset(name for name in available_timezones() if name.partition("/")[0] in REGIONS)


def zone_choices(names: Iterable[str] | None = None) -> ZoneChoices:
    """UTC, and these cities by region; all of the IANA database if none are given."""
    ordered = sorted(all_zones() if names is None else names)
    regions = groupby(ordered, key=lambda name: name.partition("/")[0])
    return [("UTC", "UTC"), *((region, [_place(name) for name in places]) for region, places in regions)]


def _place(name: str) -> tuple[str, str]:
    """America/Indiana/Knox is shown as Indiana, Knox below its region."""
    return name, name.partition("/")[2].replace("/", ", ").replace("_", " ")


def currency_choices() -> list[tuple[str, str]]:
    return [(code, f"{code} – {currency.name}") for code, currency in CURRENCIES.items()]


def locale_choices() -> list[tuple[str, str]]:
    return [(tag, f"{own_name(tag)} – {written.number(Decimal('12345.5'), tag, decimals=2)}") for tag in TAGS]


class PreferencesForm(forms.ModelForm):
    """How often to sync, and how everything is shown. `suggested` is the locale that the browser asks for.

    Any time zone can be saved. Without `offers_all_zones` the page lists the common ones and the user's.
    """

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

    locale = forms.ChoiceField(
        label="Numbers and dates",
        required=False,  # a page that was open during the upgrade does not send it
        choices=locale_choices,
        help_text="How amounts, numbers and dates are written. The pages stay in English.",
        error_messages={"invalid_choice": "This is not known here. Choose one from the list."},
    )

    class Meta:
        model = Preferences
        fields = ("sync_every_hours", "currency", "locale", "time_zone", "hides_amounts")
        labels = {"sync_every_hours": "Sync", "hides_amounts": "Hide amounts"}
        help_texts = {
            "hides_amounts": "Shows ••• in place of every amount. Counts, percentages and the shape of charts stay."
        }
        error_messages = {"sync_every_hours": {"invalid_choice": "Choose one of the intervals in the list."}}

    def __init__(
        self, *args: Any, suggested: str = DEFAULT, offers_all_zones: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        if not offers_all_zones:
            self._offer_common_zones()
        if suggested != DEFAULT and self.instance.locale == DEFAULT:
            self._suggest(suggested)

    def _suggest(self, tag: str) -> None:
        """Put the browser's locale first, and say what it looks like. English stays selected until the user chooses."""
        field = cast(forms.ChoiceField, self.fields["locale"])
        field.choices = sorted(locale_choices(), key=lambda choice: choice[0] != tag)
        example = written.amount(1234550, PRICE_CURRENCY, tag)
        field.help_text = format_html(
            "{} Your browser asks for {}: {}.", field.help_text, english_name(tag), example
        )

    def _offer_common_zones(self) -> None:
        """Limit the options, not what is valid."""
        field = cast(forms.ChoiceField, self.fields["time_zone"])
        submitted = {self.data.get("time_zone", "")} & all_zones() if self.is_bound else set()
        own = {self.instance.time_zone} - {"UTC"}
        cast(forms.Select, field.widget).choices = zone_choices({*COMMON_ZONES, *own, *submitted})
        field.help_text = format_html(
            '{} <a href="{address}?zones=all#preferences" hx-get="{address}?zones=all" hx-select="#id_time_zone"'
            ' hx-target="#id_time_zone" hx-swap="outerHTML">Show all time zones</a>',
            field.help_text,
            address=reverse("settings"),
        )

    def clean_locale(self) -> str:
        return self.cleaned_data["locale"] or self.instance.locale
