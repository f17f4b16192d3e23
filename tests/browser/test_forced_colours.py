"""Forced colours keep what is shown by colour alone: the current page and range, the progress, the lines of a chart."""

import base64

import pytest
from playwright.sync_api import Page

from tests.browser.test_controls import log_in_staff
from tests.browser.test_pages import connection, keep_picture, log_in

__all__ = ["connection"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def style(page: Page, selector: str, name: str, pseudo: str = "") -> str:
    found: str = page.locator(selector).first.evaluate(
        "(it, [name, pseudo]) => getComputedStyle(it, pseudo || null).getPropertyValue(name)", [name, pseudo]
    )
    return found


@pytest.fixture(params=["light", "dark"])
def forced(browser_page, request) -> Page:
    browser_page.emulate_media(forced_colors="active", color_scheme=request.param)
    return browser_page


def test_current_page_and_range_can_be_told(live_server, forced, connection):
    log_in(forced, live_server.url, connection.user)
    forced.goto(f"{live_server.url}/dashboard/")
    keep_picture(forced, "forced-dashboard")
    background = style(forced, "body", "background-color")
    assert style(forced, ".bar nav a:not([aria-current])", "border-bottom-color") == background
    assert style(forced, ".bar nav a[aria-current]", "border-bottom-color") != background
    chosen, other = (
        style(forced, f".pills {each}", "background-color")
        for each in ("[aria-current]", "a:not([aria-current])")
    )
    assert chosen not in {other, background}


def colours_of(page: Page, picture: bytes) -> list[list[int]]:
    """The colours near the left and the right end of a picture, half way down."""
    blank = page.context.new_page()
    found: list[list[int]] = blank.evaluate(
        """async (source) => {
          const image = new Image(); image.src = source; await image.decode();
          const pen = new OffscreenCanvas(image.width, image.height).getContext("2d");
          pen.drawImage(image, 0, 0);
          return [0.1, 0.9].map((part) =>
            [...pen.getImageData(Math.floor(image.width * part), Math.floor(image.height / 2), 1, 1).data]);
        }""",
        f"data:image/png;base64,{base64.b64encode(picture).decode()}",
    )
    return found


def test_progress_can_be_seen(live_server, forced, connection):
    log_in(forced, live_server.url, connection.user)
    forced.goto(f"{live_server.url}/syncs/{connection.user.sync_runs.get().pk}/")
    keep_picture(forced, "forced-progress")
    done, rest = colours_of(forced, forced.locator("main progress").screenshot())
    assert done != rest
    assert style(forced, "main progress", "border-top-width") == "1px"


def test_lines_of_the_engine_can_be_told(live_server, forced, make_staff, connection):
    log_in_staff(forced, live_server.url, make_staff("boss"))
    forced.goto(f"{live_server.url}/admin/pricing/workerheartbeat/engine/")
    keep_picture(forced, "forced-engine")
    legend = [
        style(forced, f".chart li.line.{each}", "background-color", "::before")
        for each in ("requests", "finished")
    ]
    assert len({*legend, style(forced, "body", "background-color")}) == 3
