from django.urls import path

from collections_app.accounts import views as accounts

urlpatterns = [
    path("account/sessions/<int:session_id>/end/", accounts.end_session, name="account_end_session"),
]
