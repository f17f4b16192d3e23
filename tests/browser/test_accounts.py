"""Account pages that appear only in the middle of a process: accessible, and without console errors."""

import pytest
from playwright.sync_api import expect

from tests.accounts import PASSWORD, code_in_mail, shown_for, totp_of
from tests.browser.test_pages import LOOKS, check

pytestmark = [pytest.mark.browser, pytest.mark.journey, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def patient(settings):
    """Accept the code of the previous step, because browsers are slow, and do not count requests of other tests."""
    settings.MFA_TOTP_TOLERANCE = 1
    settings.ACCOUNT_RATE_LIMITS = False


def send(page, name: str) -> None:
    page.get_by_role("main").get_by_role("button", name=name, exact=True).click()


def be_sure(page, address: str) -> None:
    """Log in, and enter the password again for a page that requires it."""
    page.goto(f"{address}/account/login/")
    page.fill("[name=login]", "someone")
    page.fill("[name=password]", PASSWORD)
    send(page, "Log in")
    page.wait_for_url("**/dashboard/")
    page.goto(f"{address}/account/2fa/totp/activate/")
    page.fill("[name=password]", PASSWORD)
    send(page, "Continue")
    page.wait_for_url("**/totp/activate/")


@pytest.mark.parametrize("look", LOOKS[1:3])
def test_sign_up_is_accessible(live_server, browser_page, look):
    page = browser_page
    page.goto(f"{live_server.url}/account/signup/")
    page.fill("[name=email]", "newcomer@example.org")
    page.fill("[name=password1]", "a-long-password-7")
    send(page, "Sign up")
    page.wait_for_url("**/account/confirm-email/")
    check(page, look, page.url)


@pytest.mark.parametrize("look", LOOKS[1:3])
def test_password_reset_is_accessible(live_server, browser_page, make_user, look):
    page, _ = browser_page, make_user("someone")
    page.goto(f"{live_server.url}/account/password/reset/")
    page.fill("[name=email]", "someone@example.org")
    send(page, "Send the code")
    page.wait_for_url("**/reset/confirm/")
    check(page, look, page.url)
    page.fill("[name=code]", code_in_mail())
    send(page, "Continue")
    page.wait_for_url("**/reset/complete/")
    check(page, look, page.url)


@pytest.mark.parametrize("look", LOOKS[1:3])
def test_two_factor_and_erase_are_accessible(live_server, browser_page, make_user, look):
    make_user("someone")
    page, address = browser_page, live_server.url
    be_sure(page, address)
    check(page, look, page.url)
    expect(page.locator(".qr")).to_have_js_property("complete", True)
    assert page.locator(".qr").evaluate("image => image.naturalWidth > 0")
    page.fill("[name=code]", shown_for(page.locator(".secret").inner_text()))
    send(page, "Switch on")
    page.wait_for_url("**/recovery-codes/")
    for path in ("", "recovery-codes/", "recovery-codes/generate/", "totp/deactivate/"):
        check(page, look, f"{address}/account/2fa/{path}")
    for path in ("reauthenticate/", "2fa/reauthenticate/", "sessions/", "email/", "delete/"):
        check(page, look, f"{address}/account/{path}")
    send(page, "Delete my account")
    page.wait_for_url(f"{address}/")
    expect(page.get_by_role("main")).to_contain_text("were erased here")


def test_second_step_is_accessible_and_logs_in(live_server, browser_page, make_staff):
    boss, page = make_staff("someone"), browser_page
    page.goto(f"{live_server.url}/admin/")
    page.fill("[name=login]", "someone")
    page.fill("[name=password]", PASSWORD)
    send(page, "Log in")
    page.wait_for_url("**/account/2fa/authenticate/")
    for look in LOOKS[1:3]:
        check(page, look, page.url)
    page.fill("[name=code]", totp_of(boss))
    send(page, "Log in")
    page.wait_for_url("**/admin/")
