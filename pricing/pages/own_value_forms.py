"""The form in which owners type a value of their own for their copies."""

from decimal import Decimal

from django import forms

from collections_app.currencies import digits_of, minor_units
from collections_app.importing.paid import MAX_LENGTH, parse_paid
from collections_app.models import OwnValue
from pricing.money import format as written
from pricing.money.display import Display
from pricing.value.own import MAX_NOTE

NOT_SAVED = "Nothing was saved."


class OwnValueForm(forms.Form):
    """An amount as people write them, in the currency the user has chosen, and a note. `minor` is the amount read."""

    amount = forms.CharField(
        max_length=MAX_LENGTH,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        error_messages={
            "required": f"Type an amount first. {NOT_SAVED}",
            "max_length": f"That is too long for an amount. Write it like 24.50 or 1,200. {NOT_SAVED}",
        },
    )
    note = forms.CharField(
        max_length=MAX_NOTE,
        required=False,
        label="Note (optional)",
        widget=forms.Textarea(attrs={"rows": 2, "dir": "auto"}),
        error_messages={"max_length": f"A note has at most {MAX_NOTE} characters. {NOT_SAVED}"},
    )

    def __init__(
        self, data: object = None, *, shown: Display, prefix_of_ids: str = "id", own: OwnValue | None = None
    ) -> None:
        """`own` is the value that stands, which the form begins with unless amounts are hidden."""
        super().__init__(data, auto_id=f"{prefix_of_ids}_%s", initial=_initial(own, shown))  # type: ignore[arg-type]
        self.shown = shown
        self.minor = 0
        self.fields["amount"].label = f"Amount in {shown.currency}"
        if shown.hides_amounts and own is not None:
            self.fields["amount"].help_text = "Hidden. What you save replaces the amount and the note."

    def clean_amount(self) -> str:
        text: str = self.cleaned_data["amount"]
        paid, currency = parse_paid(text), self.shown.currency
        if paid is None:
            raise forms.ValidationError(
                f"This is not an amount from 0 to 10 million. Write it like 24.50 or 1,200. {NOT_SAVED}"
            )
        if paid.currency and paid.currency != currency:
            raise forms.ValidationError(
                f"This is read as an amount in {paid.currency}, and you have chosen {currency} for the site. "
                f"Write it in {currency}, without a sign. {NOT_SAVED}"
            )
        if self.shown.is_foreign and self.shown.rate is None:
            raise forms.ValidationError(
                f"There is no exchange rate for {currency} yet, so this cannot be part of your total. {NOT_SAVED} "
                "Try again after the next sync, or choose USD in the settings."
            )
        # An amount without a currency is in hundredths, whatever the digits of the user's own currency are.
        self.minor = paid.minor if paid.currency else minor_units(Decimal(paid.minor) / 100, currency)
        return text


def _initial(own: OwnValue | None, shown: Display) -> dict[str, str]:
    """What stands now, if it can be typed as it is: in the currency of the form, and not hidden."""
    if own is None or own.amount_minor is None or shown.hides_amounts:
        return {}
    if own.currency != shown.currency:
        return {"note": own.note}
    digits = digits_of(own.currency)
    major = Decimal(own.amount_minor).scaleb(-digits)
    return {"amount": written.number(major, shown.locale, decimals=digits), "note": own.note}
