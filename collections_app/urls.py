from django.urls import path

from collections_app import views
from collections_app.accounts import views as accounts

urlpatterns = [
    path("", views.landing, name="landing"),
    path("settings/", views.settings, name="settings"),
    path("account/sessions/<int:session_id>/end/", accounts.end_session, name="account_end_session"),
    path("healthz", views.healthz, name="healthz"),
]
