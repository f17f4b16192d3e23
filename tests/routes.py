"""Every route of the site, how to call it, and the outcome, for `test_routes` to compare with its table."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db import models
from django.http import HttpResponseBase
from django.test import Client
from django.urls import Resolver404, URLPattern, URLResolver, get_resolver, resolve

from tests.headers import assert_secure

# Rows that a GET may write: the session, and the time it was last seen.
NOT_DATA = {"sessions.Session", "usersessions.UserSession"}


@dataclass(frozen=True)
class Route:
    label: str  # the name with its namespace; the pattern if it has no name
    pattern: str
    regex: bool

    def address(self, arguments: dict[str, str]) -> str:
        """The address with its parameters filled in. Raises KeyError for a parameter without a value."""
        return "/" + _filled(self.pattern, arguments)


def routes() -> list[Route]:
    """All routes, including those of included packages."""
    return list(_flatten(get_resolver().url_patterns, "", ""))


def _flatten(patterns: Any, before: str, namespace: str) -> Iterator[Route]:
    for entry in patterns:
        pattern = before + str(entry.pattern)
        if isinstance(entry, URLResolver):
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            yield from _flatten(entry.url_patterns, pattern, inner)
        elif isinstance(entry, URLPattern):
            label = f"{namespace}{entry.name}" if entry.name else pattern
            yield Route(label, pattern, "(?P<" in pattern)


def _filled(pattern: str, arguments: dict[str, str]) -> str:
    by_converter = re.sub(r"<(?:\w+:)?(\w+)>(?![^()]*\))", lambda found: arguments[found[1]], pattern)
    by_group = re.sub(r"\(\?P<(\w+)>[^()]*\)", lambda found: arguments[found[1]], by_converter)
    return re.sub(r"[\^$]|\\Z", "", by_group)


def outcome(response: HttpResponseBase) -> str:
    """The status, or an arrow with the name of the view a redirect leads to."""
    if response.status_code not in {301, 302}:
        return str(response.status_code)
    path = str(response["Location"]).partition("?")[0]
    try:
        return f"→{resolve(path).view_name}"
    except Resolver404:
        return f"→{path}"


def ask(client: Client, method: str, address: str) -> str:
    response = getattr(client, method.lower())(address)
    if getattr(response, "streaming", False):
        b"".join(response)
    assert_secure(response.headers, f"{method} {address}")
    return outcome(response)


def is_stored(response: HttpResponseBase) -> bool:
    """Whether a browser may keep the answer."""
    return "no-store" not in response.headers.get("Cache-Control", "")


def admin_arguments(route: Route) -> dict[str, str]:
    """The number of a row for a page of the admin about one; the test's stage must hold a row of each model."""
    for model in admin.site._registry:
        meta = model._meta
        if route.pattern.startswith(f"admin/{meta.app_label}/{meta.model_name}/"):
            row = model._default_manager.order_by("pk").first()
            assert row is not None, f"add a row of {meta.label} to the stage of tests/test_routes.py"
            return {"object_id": str(row.pk), "id": str(row.pk)}
    return {}


def everything() -> dict[str, list[Any]]:
    """All rows of all tables, but for what is no data."""
    tables = [
        model for model in apps.get_models() if model._meta.label not in NOT_DATA and model._meta.managed
    ]
    return {model._meta.label: list(model._base_manager.order_by("pk").values_list()) for model in tables}


def belongings(user: Any) -> dict[str, list[Any]]:
    """All rows that lead to a user, directly or by their connection."""
    found: dict[str, list[Any]] = {}
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            path = _path_to_user(field, type(user))
            if path and model._meta.label not in NOT_DATA:
                rows = model._base_manager.filter(**{path: user}).order_by("pk")
                found[f"{model._meta.label}.{field.name}"] = list(rows.values_list())
    return found


def _path_to_user(field: models.Field, user_model: type) -> str:
    if field.related_model is user_model:
        return field.name
    related = field.related_model
    if isinstance(related, type) and any(each.name == "user" for each in related._meta.concrete_fields):
        return f"{field.name}__user"
    return ""
