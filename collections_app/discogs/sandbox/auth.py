"""Who asks: the credentials of a request. OAuth 1.0a belongs here and in routes.py, once it is built."""

import re
from dataclasses import dataclass

from collections_app.discogs.sandbox.answer import Answer, Refused, Request, message
from collections_app.discogs.sandbox.shelves import SandboxUser
from collections_app.discogs.sandbox.world import World

CONSUMER_KEY, CONSUMER_SECRET = "sandbox-key", "sandbox-secret"

_PAIR = re.compile(r"(\w+)=\"?([^\s,\"]*)\"?")
_REGISTER = "Invalid consumer token. Please register an app before making requests."


@dataclass(frozen=True, slots=True)
class Caller:
    """`credentials` tells the tier; `user` is known for a personal access token only."""

    credentials: bool
    user: SandboxUser | None = None

    def owns(self, user: SandboxUser) -> bool:
        """Whether the caller is this user."""
        return self.user is not None and self.user.id == user.id


def claimed(request: Request) -> dict[str, str]:
    """The credentials a request carries, good or bad, from the header or, as Discogs allows, the query."""
    header = request.headers.get("authorization", "")
    scheme, _, rest = header.partition(" ")
    if scheme.lower() == "discogs":
        return dict(_PAIR.findall(rest))
    if scheme.lower() == "oauth":
        return {"oauth": rest}
    return {name: request.query[name] for name in ("token", "key", "secret") if name in request.query}


def identify(world: World, request: Request) -> Caller:
    """The caller; Refused with 401 when what was claimed is not good, on public routes too."""
    claims = claimed(request)
    if not claims:
        return Caller(credentials=False)
    if "token" in claims:
        user = world.user_by_token(claims["token"])
        if user is None:
            raise Refused(message(401, _REGISTER))
        return Caller(credentials=True, user=user)
    if (claims.get("key"), claims.get("secret")) != (CONSUMER_KEY, CONSUMER_SECRET):
        raise Refused(Answer(status=401, body=b"Invalid consumer.", content_type="text/plain"))
    return Caller(credentials=True)
