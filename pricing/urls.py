from django.urls import path

from pricing import account_views, connect_views, export_views, preference_views, views

urlpatterns = [
    path("dashboard/", views.dashboard, name="dashboard"),
    path("dashboard/headline/", views.headline, name="headline"),
    path("collection/", views.collection, name="collection"),
    path("release/<int:discogs_id>/", views.release, name="release"),
    path("release/<int:discogs_id>/check/", views.release_check, name="release_check"),
    path("connect/", connect_views.connect, name="connect"),
    path("connect/discogs/", connect_views.authorise, name="authorise"),
    path("connect/discogs/callback/", connect_views.authorised, name="authorised"),
    path("disconnect/", connect_views.disconnect, name="disconnect"),
    path("settings/amounts/", preference_views.amounts, name="amounts"),
    path("account/delete/", account_views.delete_account, name="account_delete"),
    path("settings/preferences/", preference_views.preferences, name="preferences"),
    path("syncs/", views.syncs, name="syncs"),
    path("syncs/start/", views.sync_start, name="sync_start"),
    path("syncs/bar/", views.sync_bar, name="sync_bar"),
    path("syncs/<int:run_id>/", views.sync_run, name="sync_run"),
    path("syncs/<int:run_id>/progress/", views.sync_progress, name="sync_progress"),
    path("syncs/<int:run_id>/pause/", views.sync_pause, name="sync_pause"),
    path("syncs/<int:run_id>/resume/", views.sync_resume, name="sync_resume"),
    path("syncs/<int:run_id>/cancel/", views.sync_cancel, name="sync_cancel"),
    path("syncs/<int:run_id>/retry/", views.sync_retry, name="sync_retry"),
    path("export/", export_views.export, name="export"),
]
