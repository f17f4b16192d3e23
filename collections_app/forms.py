"""Forms about the connection to Discogs."""

from django import forms

# A personal access token has 40 letters; anything far longer was pasted by mistake.
LONGEST_TOKEN = 200


class ConnectForm(forms.Form):
    """A personal access token. It is never shown again, also not after a mistake."""

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
