"""Every constraint and index that a model names exists in the migrated database: a migration can drop one unasked."""

import pytest
from django.apps import apps
from django.db import connection

pytestmark = pytest.mark.django_db

MODELS = [model for model in apps.get_models() if model._meta.app_label in {"collections_app", "pricing"}]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_named_constraints_exist(model):
    named = {each.name for each in (*model._meta.constraints, *model._meta.indexes)}
    with connection.cursor() as cursor:
        stored = set(connection.introspection.get_constraints(cursor, model._meta.db_table))
    assert named <= stored
