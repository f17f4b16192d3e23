"""Authentication: the caller and credentials of a request."""

import re
from dataclasses import dataclass

from collections_app.sandbox.access import oauth
from collections_app.sandbox.http.answer import Answer, Refused, Request, message
from collections_app.sandbox.world.holdings import SandboxUser
from collections_app.sandbox.world.world import World

CONSUMER_KEY, CONSUMER_SECRET = "sandbox-key", "sandbox-secret"
CONSUMER_NAME = "Crateworth"

_PAIR = re.compile(r"(\w+)=\"?([^\s,\"]*)\"?")
_REGISTER = "Invalid consumer token. Please register an app before making requests."


class WrongConsumer(oauth.NotSigned):
    """The consumer key is not the sandbox's."""


@dataclass(frozen=True, slots=True)
class Caller:
    """`credentials` is the tier; `user` is known for personal access tokens and for OAuth with an access token.

    An `odd` caller is known, but Discogs shows it nothing private.
    """

    credentials: bool
    user: SandboxUser | None = None
    odd: bool = False

    def owns(self, user: SandboxUser) -> bool:
        """Whether the caller is this user and may see private data."""
        return self.user is not None and self.user.id == user.id and not self.odd


def claimed(request: Request) -> dict[str, str]:
    """The credentials of a request, valid or not, from the header or, as Discogs allows, the query."""
    header = request.headers.get("authorization", "")
    scheme, _, rest = header.partition(" ")
    if scheme.lower() == "discogs":
        return dict(_PAIR.findall(rest))
    if scheme.lower() == "oauth":
        return {"oauth": rest}
    return {name: request.query[name] for name in ("token", "key", "secret") if name in request.query}


def identify(world: World, request: Request, *, base: str, now: float) -> Caller:
    """The caller; Refused with 401 if the credentials are invalid, on public routes too.

    `base` is the address of the API as the caller sees it, which signatures cover; `now` is in epoch seconds.
    """
    claims = claimed(request)
    if not claims:
        return Caller(credentials=False)
    if "oauth" in claims:
        return _signer(world, request, base=base, now=now)
    if "token" in claims:
        user = world.user_by_token(claims["token"])
        if user is None:
            raise Refused(message(401, _REGISTER))
        return Caller(credentials=True, user=user)
    if (claims.get("key"), claims.get("secret")) != (CONSUMER_KEY, CONSUMER_SECRET):
        raise Refused(invalid_consumer())
    return Caller(credentials=True)


def invalid_consumer() -> Answer:
    """401, and no JSON."""
    return Answer(status=401, body=b"Invalid consumer.", content_type="text/plain")


def signed_parameters(request: Request) -> dict[str, str]:
    """The OAuth parameters of a request with the right consumer key. Raises NotSigned, or WrongConsumer."""
    params = oauth.header_parameters(request)
    if params.get("oauth_consumer_key") != CONSUMER_KEY:
        raise WrongConsumer("Invalid consumer.")
    return params


def check(
    world: World, request: Request, params: dict[str, str], *, token_secret: str, base: str, now: float
) -> None:
    """Check a signed request. Raises NotSigned for a bad signature, a timestamp far from now, or a used nonce."""
    oauth.check_signature(
        request, params, base=base, consumer_secret=CONSUMER_SECRET, token_secret=token_secret
    )
    oauth.check_timestamp(params, now=now)
    token, timestamp, nonce = (params.get(f"oauth_{name}", "") for name in ("token", "timestamp", "nonce"))
    if nonce and not world.grants.is_new(token, timestamp, nonce, now=now):
        raise oauth.NotSigned("The nonce was used before.")


def _signer(world: World, request: Request, *, base: str, now: float) -> Caller:
    """The caller that signed. Without a token it is the application itself, which sees public data only."""
    try:
        params = signed_parameters(request)
        access = world.grants.access(params.get("oauth_token", ""))
        user = world.user_by_id(access.user_id) if access else None
        if params.get("oauth_token") and user is None:
            raise Refused(message(401, _REGISTER))
        check(world, request, params, token_secret=access.secret if access else "", base=base, now=now)
    except WrongConsumer:
        raise Refused(invalid_consumer()) from None
    except oauth.NotSigned as error:
        raise Refused(message(401, str(error))) from None
    return Caller(credentials=True, user=user, odd=oauth.is_odd(params))
