"""OAuth 1.0a: sign requests for a user who authorised us at Discogs, with HMAC-SHA1, so that no secret travels."""

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlencode

from django.conf import settings
from oauthlib.oauth1 import SIGNATURE_HMAC_SHA1
from requests_oauthlib import OAuth1

from collections_app.discogs.errors import BadPayload

# Discogs issues 40 letters. Accept more, but nothing that does not belong in a header.
TOKEN_SHAPE = re.compile(r"[A-Za-z0-9_.~-]{8,200}")


@dataclass(frozen=True, slots=True)
class Token:
    """A request token or an access token, with its secret."""

    key: str = field(repr=False)
    secret: str = field(repr=False)


def is_offered() -> bool:
    """Whether this site is registered at Discogs. Without a consumer key only personal access tokens work."""
    return bool(settings.DISCOGS_CONSUMER_KEY and settings.DISCOGS_CONSUMER_SECRET)


def to_ask_for_a_token(callback: str) -> OAuth1:
    """Sign the request for a request token. `callback`: where Discogs sends the browser afterwards."""
    return _signer(callback_uri=callback)


def to_exchange(token: Token, verifier: str) -> OAuth1:
    """Sign the exchange of a request token that its user has authorised."""
    return _signer(resource_owner_key=token.key, resource_owner_secret=token.secret, verifier=verifier)


def to_act_for(token: Token) -> OAuth1:
    """Sign every other request, with an access token."""
    return _signer(resource_owner_key=token.key, resource_owner_secret=token.secret)


def authorise_address(token: Token) -> str:
    """The page of Discogs that asks the user to authorise the token."""
    return f"{settings.DISCOGS_WEB_URL}/oauth/authorize?{urlencode({'oauth_token': token.key})}"


def parse_token(body: bytes) -> Token:
    """Parse an answer of the token endpoints: form-encoded text. Raises BadPayload for anything else."""
    try:
        fields = parse_qs(body.decode("ascii"), strict_parsing=True, max_num_fields=10)
        (key,), (secret,) = fields["oauth_token"], fields["oauth_token_secret"]
    except (ValueError, KeyError):
        raise BadPayload("Discogs sent no usable token.") from None
    if not (TOKEN_SHAPE.fullmatch(key) and TOKEN_SHAPE.fullmatch(secret)):
        raise BadPayload("Discogs sent no usable token.")
    return Token(key, secret)


def _signer(**more: str) -> OAuth1:
    return OAuth1(
        settings.DISCOGS_CONSUMER_KEY,
        settings.DISCOGS_CONSUMER_SECRET,
        signature_method=SIGNATURE_HMAC_SHA1,
        **more,
    )
