from django.urls import path

from pricing.pages.views import account, connect, export, main, preferences, site

urlpatterns = [
    path("", site.landing, name="landing"),
    path("settings/", site.settings, name="settings"),
    path("healthz", site.healthz, name="healthz"),
    path("dashboard/", main.dashboard, name="dashboard"),
    path("dashboard/headline/", main.headline, name="headline"),
    path("collection/", main.collection, name="collection"),
    path("release/<int:discogs_id>/", main.release, name="release"),
    path("release/<int:discogs_id>/check/", main.release_check, name="release_check"),
    path("connect/", connect.connect, name="connect"),
    path("connect/discogs/", connect.authorise, name="authorise"),
    path("connect/discogs/callback/", connect.authorised, name="authorised"),
    path("disconnect/", connect.disconnect, name="disconnect"),
    path("settings/amounts/", preferences.amounts, name="amounts"),
    path("account/delete/", account.delete_account, name="account_delete"),
    path("settings/preferences/", preferences.preferences, name="preferences"),
    path("syncs/", main.syncs, name="syncs"),
    path("syncs/start/", main.sync_start, name="sync_start"),
    path("syncs/bar/", main.sync_bar, name="sync_bar"),
    path("syncs/<int:run_id>/", main.sync_run, name="sync_run"),
    path("syncs/<int:run_id>/progress/", main.sync_progress, name="sync_progress"),
    path("syncs/<int:run_id>/pause/", main.sync_pause, name="sync_pause"),
    path("syncs/<int:run_id>/resume/", main.sync_resume, name="sync_resume"),
    path("syncs/<int:run_id>/cancel/", main.sync_cancel, name="sync_cancel"),
    path("syncs/<int:run_id>/retry/", main.sync_retry, name="sync_retry"),
    path("export/", export.export, name="export"),
]
