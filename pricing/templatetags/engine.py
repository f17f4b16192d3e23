"""Tags of the admin's pages about the engine."""

from django import template
from django.utils import timezone

from pricing.models import HealthAlert
from pricing.monitoring import alerts

register = template.Library()


@register.simple_tag
def current_alerts() -> list[HealthAlert]:
    """The alerts that are open now: three small queries."""
    return alerts.current(timezone.now())


@register.filter
def alert_title(alert: HealthAlert) -> str:
    return alerts.title_of(alert)


@register.filter
def alert_class(alert: HealthAlert) -> str:
    return "error" if alerts.is_error(alert) else "warning"


@register.filter
def milliseconds(value: float | None) -> str:
    """A response time; a dash if there was none."""
    return "–" if value is None else f"{value:,.0f} ms"
