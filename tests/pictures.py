"""`python -m tests.pictures [ADDRESS]`: take the pictures of the README and the landing page from a running demo.

The demo's data are made up. `make demo` must have ended its first sync; ADDRESS is http://localhost:8000 by default.
"""

import base64
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

USERNAME, PASSWORD = "demo", "crateworth-demo"  # made by `manage.py seed_demo`
ROOT = Path(__file__).resolve().parent.parent
SCHEMES = ("light", "dark")
WEBP_QUALITY = 0.85
README, LANDING, PHONE = (1280, 860), (1180, 885), (390, 900)  # px
_TO_WEBP = """async ([source, quality]) => {
  const image = new Image(); image.src = source; await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.width, image.height];
  canvas.getContext("2d").drawImage(image, 0, 0);
  return canvas.toDataURL("image/webp", quality).split(",")[1];
}"""


def dashboard(browser: Browser, address: str, *, scheme: str, size: tuple[int, int], scale: int = 1) -> Page:
    """The demo's dashboard over a year, at rest."""
    context = browser.new_context(
        color_scheme=scheme,  # type: ignore[arg-type]
        viewport={"width": size[0], "height": size[1]},
        device_scale_factor=scale,
    )
    page = context.new_page()
    page.goto(f"{address}/account/login/")
    page.fill("[name=login]", USERNAME)
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/dashboard/")
    page.goto(f"{address}/dashboard/?range=1y")
    page.locator(".plot.live canvas").wait_for()
    page.evaluate("document.documentElement.style.scrollbarGutter = 'auto'")
    page.wait_for_timeout(500)  # the chart is drawn again for the new width
    return page


def as_webp(page: Page, picture: bytes) -> bytes:
    blank = page.context.new_page()
    source = f"data:image/png;base64,{base64.b64encode(picture).decode()}"
    return base64.b64decode(blank.evaluate(_TO_WEBP, [source, WEBP_QUALITY]))


def take_all(browser: Browser, address: str, scheme: str) -> None:
    page = dashboard(browser, address, scheme=scheme, size=README)
    page.screenshot(path=ROOT / f"docs/img/dashboard-{scheme}.png")
    page = dashboard(browser, address, scheme=scheme, size=LANDING)
    (ROOT / f"static/img/dashboard-{scheme}.webp").write_bytes(as_webp(page, page.screenshot()))
    page = dashboard(browser, address, scheme=scheme, size=PHONE, scale=2)
    value, chart = page.locator("#figures").bounding_box(), page.locator(".plot").bounding_box()
    assert value
    assert chart
    clip = {
        "x": 0,
        "y": value["y"] - 16,
        "width": PHONE[0],
        "height": chart["y"] + chart["height"] - value["y"] + 24,
    }
    (ROOT / f"static/img/value-{scheme}.webp").write_bytes(as_webp(page, page.screenshot(clip=clip)))


def main(address: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for scheme in SCHEMES:
            take_all(browser, address.rstrip("/"), scheme)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://localhost:8000")
