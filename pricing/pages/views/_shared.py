"""What several views share: the range of their charts, and the connection in their context."""

from django.http import HttpRequest

from collections_app.connections.lookup import collection_path
from collections_app.models import DiscogsConnection
from pricing.pages.charts import DEFAULT_RANGE

# The session remembers the range last chosen, on every page with a chart.
RANGE_KEY = "range"


def range_of(request: HttpRequest) -> str:
    asked = request.GET.get("range", "")
    if asked and asked != request.session.get(RANGE_KEY):
        request.session[RANGE_KEY] = asked[:8]
    return str(asked or request.session.get(RANGE_KEY, DEFAULT_RANGE))


def connected(connection: DiscogsConnection | None) -> dict[str, object]:
    return {"connection": connection, "collection_path": collection_path(connection)}
