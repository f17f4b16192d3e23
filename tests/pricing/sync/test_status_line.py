import pytest

from pricing.sync.status_line import Facts, Kind, status_line

RUNNING = {
    "state": "running",
    "total": 240,
    "done": 200,
    "remaining": 40,
    "seconds_left": 40,
    "ends_at": "14:05",
}
IMPORT = {"state": "importing", "stage": "instances", "read": 200, "expected": 438}

CASES = {
    "running": (RUNNING, "working", "About 40 s left, done at 14:05. You can close this page."),
    "outage": (
        {**RUNNING, "pause_seconds": 18.2, "is_outage": True},
        "waiting",
        "Discogs does not answer. Next attempt in 19 s; the sync continues by itself.",
    ),
    "probe of an outage": (
        {**RUNNING, "pause_seconds": 30, "is_outage": True, "is_probing": True},
        "waiting",
        "Discogs does not answer. This site tries it again now; the sync continues by itself.",
    ),
    "probe of an outage is due": (
        {**IMPORT, "pause_seconds": 0, "is_outage": True, "is_probing": True},
        "waiting",
        "Discogs does not answer. This site tries it again now; the sync continues by itself.",
    ),
    "429 with Retry-After 20": (
        {**RUNNING, "pause_seconds": 20},
        "waiting",
        "Waiting 20 s for Discogs. It asked this site to slow down; the sync continues by itself.",
    ),
    "gate pause while importing": (
        {**IMPORT, "read": 0, "expected": 0, "pause_seconds": 14.6},
        "waiting",
        "Waiting 15 s for Discogs. It asked this site to slow down; the sync continues by itself.",
    ),
    "outage while importing": (
        {**IMPORT, "pause_seconds": 30, "is_outage": True},
        "waiting",
        "Discogs does not answer. Next attempt in 30 s; the sync continues by itself.",
    ),
    "importing": (
        IMPORT,
        "working",
        "Reading your collection: 200 of 438 copies. Prices follow automatically.",
    ),
    "import begins": (
        {**IMPORT, "stage": "folders", "read": 0, "expected": 0},
        "working",
        "Reading your collection. Prices follow automatically.",
    ),
    "wantlist": (
        {**IMPORT, "stage": "wants", "read": 3, "expected": 10},
        "working",
        "Reading your wantlist: 3 of 10 releases. Prices follow automatically.",
    ),
    "import attempt failed": (
        {**IMPORT, "import_error": "Discogs answered with an error (500)."},
        "waiting",
        "The last attempt to read your collection failed: Discogs answered with an error (500). "
        "It is tried again by itself.",
    ),
    "import complete": (
        {**IMPORT, "is_read": True},
        "working",
        "Your collection has been read. Its prices follow in a moment.",
    ),
    "paused": (
        {**RUNNING, "state": "paused"},
        "owner",
        "Paused. 40 releases wait until you resume. Prices fetched so far are kept.",
    ),
    "paused with jobs at work": (
        {**RUNNING, "state": "paused", "at_work": 29},
        "owner",
        "Paused. 29 releases already with the workers are still fetched; 11 releases wait until you resume. "
        "Prices fetched so far are kept.",
    ),
    "paused with the last job at work": (
        {**RUNNING, "state": "paused", "at_work": 1, "remaining": 1},
        "owner",
        "Paused. 1 release already with the workers is still fetched; resume to finish. "
        "Prices fetched so far are kept.",
    ),
    "paused during an outage": (
        {**RUNNING, "state": "paused", "pause_seconds": 19, "is_outage": True},
        "owner",
        "Paused. 40 releases wait until you resume. Prices fetched so far are kept.",
    ),
    "retry": (
        {**RUNNING, "remaining": 2, "waiting": 2, "retry_in": 9.5},
        "waiting",
        "2 releases could not be fetched yet; next attempt in 10 s.",
    ),
    "some wait": (
        {**RUNNING, "waiting": 2, "retry_in": 9.5},
        "working",
        "About 40 s left, done at 14:05. You can close this page.",
    ),
    "others' work ahead": (
        {**RUNNING, "others_ahead": 24},
        "working",
        "At least 40 s left: other syncs share the limit, and 24 of their requests go first.",
    ),
    "one request of others ahead": (
        {**RUNNING, "others_ahead": 1},
        "working",
        "At least 40 s left: other syncs share the limit, and 1 of their requests goes first.",
    ),
    "less than a second left": (
        {**RUNNING, "remaining": 4, "seconds_left": 0.4},
        "working",
        "About 1 s left, done at 14:05. You can close this page.",
    ),
    "no workers": (
        {**RUNNING, "workers_run": False, "others_ahead": 3},
        "waiting",
        "No workers are running on this site. The sync continues by itself when the operator has started them.",
    ),
    "nothing left": ({**RUNNING, "remaining": 0}, "working", "Finishing."),
    "revoked while running": (
        {**RUNNING, "connection": "reconnect_needed"},
        "owner",
        "This site cannot use your connection to Discogs. Reconnect to continue.",
    ),
    "revoked": (
        {"state": "failed", "connection": "reconnect_needed", "seconds": 61},
        "ended",
        "Failed after 1 min. Prices fetched so far are kept. Reconnect to continue.",
    ),
    "key missing": (
        {"state": "failed", "connection": "unreadable", "seconds": 2},
        "ended",
        "Failed after 2 s. Prices fetched so far are kept. Reconnect to continue, or wait until the operator has "
        "restored the key.",
    ),
    "private": (
        {"state": "failed", "connection": "private", "seconds": 2},
        "ended",
        "Failed after 2 s. Prices fetched so far are kept. Make your collection public at Discogs, then check again.",
    ),
    "failed for another reason": (
        {"state": "failed", "seconds": 2},
        "ended",
        "Failed after 2 s. Prices fetched so far are kept. Start another sync to continue.",
    ),
    "disconnected": (
        {"state": "failed", "seconds": 2, "connection": ""},
        "ended",
        "Failed after 2 s. Prices fetched so far are kept. Connect Discogs to continue.",
    ),
    "cancelled": (
        {"state": "cancelled", "total": 240, "done": 184, "cancelled": 56, "seconds": 184},
        "ended",
        "Cancelled after 3 min: 184 of 240 releases were done, 56 were not fetched. "
        "Prices fetched so far are kept.",
    ),
    "cancelled with failures and jobs at work": (
        {
            "state": "cancelled",
            "total": 9,
            "done": 4,
            "failed": 2,
            "cancelled": 1,
            "remaining": 2,
            "seconds": 9,
        },
        "ended",
        "Cancelled after 9 s: 4 of 9 releases were done, 2 failed, 1 was not fetched, 2 are still being fetched. "
        "Prices fetched so far are kept.",
    ),
    "revoked in mid-run": (
        {
            "state": "failed",
            "connection": "reconnect_needed",
            "total": 9,
            "done": 4,
            "cancelled": 5,
            "seconds": 9,
        },
        "ended",
        "Failed after 9 s: 4 of 9 releases were done, 5 were not fetched. Prices fetched so far are kept. "
        "Reconnect to continue.",
    ),
    "cancelled while importing": (
        {"state": "cancelled", "seconds": 4},
        "ended",
        "Cancelled after 4 s. Prices fetched so far are kept.",
    ),
    "empty collection": (
        {"state": "finished", "seconds": 3},
        "ended",
        "Finished in 3 s. Your collection on Discogs is empty. There is nothing to price.",
    ),
    "no copy could be read": (
        {"state": "finished", "seconds": 3, "unread": 2},
        "ended",
        "Finished in 3 s. No copy in your collection could be read, so nothing was priced.",
    ),
    "finished": ({"state": "finished", "total": 9, "done": 9, "seconds": 9}, "ended", "Finished in 9 s."),
    "finished with failures": (
        {"state": "finished", "total": 9, "done": 8, "failed": 1, "seconds": 9},
        "ended",
        "Finished in 9 s; 1 release failed.",
    ),
    "finished after a cancelled run was retried": (
        {"state": "finished", "total": 9, "done": 6, "failed": 1, "cancelled": 2, "seconds": 9},
        "ended",
        "Finished in 9 s; 1 release failed; 2 releases were cancelled before.",
    ),
}


@pytest.mark.parametrize(("facts", "kind", "text"), CASES.values(), ids=CASES)
def test_status_line_says_what_decides(facts, kind, text):
    line = status_line(Facts(**facts))
    assert (line.kind, line.text) == (kind, text)


@pytest.mark.parametrize("state", ["importing", "running", "paused"])
@pytest.mark.parametrize(
    "reason",
    [
        {"pause_seconds": 19, "is_outage": True},
        {"is_outage": True, "is_probing": True},
        {"pause_seconds": 20},
        {"workers_run": False},
        {"connection": "unreadable"},
    ],
)
def test_no_estimate_while_something_else_decides(state, reason):
    line = status_line(Facts(**{**RUNNING, "state": state, "others_ahead": 5, **reason}))
    assert line.kind != Kind.WORKING
    for text in (line.text, line.short):
        assert "left" not in text
        assert "14:05" not in text


def test_short_line_for_the_header():
    shorts = {name: status_line(Facts(**facts)).short for name, (facts, _, _) in CASES.items()}
    assert shorts["running"] == "40 s"
    assert shorts["others' work ahead"] == "at least 40 s"
    assert shorts["outage"] == "Discogs does not answer"
    assert shorts["gate pause while importing"] == "waiting for Discogs"
    assert shorts["paused with jobs at work"] == "paused"
    assert shorts["importing"] == "Reading your collection"


def test_numbers_follow_the_locale():
    facts = Facts(**{**IMPORT, "read": 1200, "expected": 12345}, locale="de")
    assert "1.200 of 12.345 copies" in status_line(facts).text
