from django.urls import path

from collections_app.accounts import views as accounts
from pricing.pages.views import site

urlpatterns = [
    path("", site.landing, name="landing"),
    path("settings/", site.settings, name="settings"),
    path("account/sessions/<int:session_id>/end/", accounts.end_session, name="account_end_session"),
    path("healthz", site.healthz, name="healthz"),
]
