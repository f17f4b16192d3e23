from django.urls import path

from collections_app.accounts import views as accounts
from collections_app.web import probes

urlpatterns = [
    path(probes.PATH.lstrip("/"), probes.healthz, name="healthz"),
    path("account/sessions/<int:session_id>/end/", accounts.end_session, name="account_end_session"),
]
