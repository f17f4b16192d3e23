"""An import keeps what the owner has decided about prices, and copies bought since take it over."""

import pytest
from django.utils import timezone

from collections_app.models import CollectionInstance, Decision
from pricing.value.decisions import decide
from tests.pricing.engine import import_all

pytestmark = pytest.mark.django_db(transaction=True)


def decisions(user):
    copies = CollectionInstance.objects.of(user.pk).order_by("release_id", "pk")
    return list(copies.values_list("release_id", "price_decision"))


def test_import_keeps_decisions_for_new_copies_too(make_collector, generous_sandbox):
    user = make_collector(generous_sandbox, release_ids=[11, 12])
    import_all(user)
    decide(user.pk, 11, Decision.NEVER, now=timezone.now())
    import_all(user)
    assert decisions(user) == [(11, "never"), (12, "")]
    generous_sandbox.world.add_copies("collector_at_discogs", [11, 13])
    import_all(user)
    assert decisions(user) == [(11, "never"), (11, "never"), (12, ""), (13, "")]
    decide(user.pk, 11, Decision.NONE, now=timezone.now())
    import_all(user)
    assert {decision for _, decision in decisions(user)} == {""}
