"""The error pages in every look: accessible, and without console errors."""

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import path

from collections_app.web.error_pages import error_page
from config.urls import urlpatterns as site_patterns
from tests.browser.test_pages import LOOKS, check

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PAGES = (400, 403, 404, 413, 500, 503)


def show_error_page(request: HttpRequest, status: int) -> HttpResponse:
    """Show an error page with status 200, because the browser logs an error for other statuses."""
    response = error_page(status)
    response.status_code = 200
    return response


show_error_page.login_required = False  # type: ignore[attr-defined]
urlpatterns = [path("error-page/<int:status>/", show_error_page), *site_patterns]


@override_settings(ROOT_URLCONF=__name__)
@pytest.mark.parametrize("look", LOOKS)
def test_error_pages_are_accessible(live_server, browser_page, look):
    for status in PAGES:
        check(browser_page, look, f"{live_server.url}/error-page/{status}/")
