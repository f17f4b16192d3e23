from django.urls import path

from collections_app.models import Decision
from pricing.pages.views import (
    account,
    collection,
    connect,
    dashboard,
    export,
    preferences,
    release,
    site,
    syncs,
)

urlpatterns = [
    path("", site.landing, name="landing"),
    path("settings/", site.settings, name="settings"),
    path("dashboard/", dashboard.dashboard, name="dashboard"),
    path("dashboard/headline/", dashboard.headline, name="headline"),
    path("collection/", collection.collection, name="collection"),
    path("release/<int:discogs_id>/", release.release, name="release"),
    path("release/<int:discogs_id>/check/", release.release_check, name="release_check"),
    path(
        "release/<int:discogs_id>/count/",
        release.release_decision,
        {"decision": Decision.COUNT},
        name="release_count",
    ),
    path(
        "release/<int:discogs_id>/leave-out/",
        release.release_decision,
        {"decision": Decision.NEVER},
        name="release_leave_out",
    ),
    path(
        "release/<int:discogs_id>/undecide/",
        release.release_decision,
        {"decision": Decision.NONE},
        name="release_undecide",
    ),
    path("connect/", connect.connect, name="connect"),
    path("connect/discogs/", connect.authorise, name="authorise"),
    path("connect/discogs/callback/", connect.authorised, name="authorised"),
    path("disconnect/", connect.disconnect, name="disconnect"),
    path("settings/amounts/", preferences.amounts, name="amounts"),
    path("account/delete/", account.delete_account, name="account_delete"),
    path("settings/preferences/", preferences.preferences, name="preferences"),
    path("syncs/", syncs.syncs, name="syncs"),
    path("syncs/start/", syncs.sync_start, name="sync_start"),
    path("syncs/bar/", syncs.sync_bar, name="sync_bar"),
    path("syncs/<int:run_id>/", syncs.sync_run, name="sync_run"),
    path("syncs/<int:run_id>/progress/", syncs.sync_progress, name="sync_progress"),
    path("syncs/<int:run_id>/pause/", syncs.sync_pause, name="sync_pause"),
    path("syncs/<int:run_id>/resume/", syncs.sync_resume, name="sync_resume"),
    path("syncs/<int:run_id>/cancel/", syncs.sync_cancel, name="sync_cancel"),
    path("syncs/<int:run_id>/retry/", syncs.sync_retry, name="sync_retry"),
    path("export/", export.export, name="export"),
]
