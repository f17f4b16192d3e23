from django.urls import path

from collections_app import views

urlpatterns = [
    path("", views.landing, name="landing"),
    path("settings/", views.settings, name="settings"),
    path("healthz", views.healthz, name="healthz"),
]
