"""Every address of the site: the apps bring their own."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("account/", include("allauth.urls")),
    path("", include("collections_app.urls")),
    path("", include("pricing.urls")),
]
