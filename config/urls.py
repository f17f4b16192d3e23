"""The URLs of the site; each app defines its own."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from collections_app.accounts.views import ConfirmEmailView, PasswordResetView, SignupView

urlpatterns = [
    # The admin's own page would change a password without the site's rate limits.
    path("admin/password_change/", RedirectView.as_view(pattern_name="account_change_password")),
    path("admin/", admin.site.urls),
    path("account/signup/", SignupView.as_view(), name="account_signup"),
    path("account/confirm-email/", ConfirmEmailView.as_view(), name="account_email_verification_sent"),
    path("account/password/reset/", PasswordResetView.as_view(), name="account_reset_password"),
    path("account/", include("allauth.urls")),
    path("", include("collections_app.urls")),
    path("", include("pricing.urls")),
]

handler400 = "collections_app.web.error_pages.bad_request"
handler403 = "collections_app.web.error_pages.permission_denied"
handler404 = "collections_app.web.error_pages.page_not_found"
handler500 = "collections_app.web.error_pages.server_error"
