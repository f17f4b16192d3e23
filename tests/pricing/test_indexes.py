"""No index that the beginning of another one serves."""

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import UniqueConstraint


def columns_of(model):
    """The columns of each index over all rows, other than those that only a foreign key asks for."""
    options = model._meta
    found = [
        tuple(name.lstrip("-") for name in index.fields) for index in options.indexes if not index.condition
    ]
    found += [
        constraint.fields
        for constraint in options.constraints
        if isinstance(constraint, UniqueConstraint) and constraint.condition is None
    ]
    return [*found, tuple(field.name for field in options.pk_fields)]


@pytest.mark.parametrize(
    "model", [*apps.get_app_config("pricing").get_models()], ids=lambda model: model.__name__
)
def test_foreign_key_has_no_surplus_index(model):
    served = {columns[0] for columns in columns_of(model)}
    surplus = [
        field.name
        for field in model._meta.concrete_fields
        if field.is_relation and field.db_index and not field.unique and field.name in served
    ]
    assert surplus == []


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "postgresql", reason="only PostgreSQL's indexes include columns")
def test_snapshot_key_holds_the_amount():
    """A column more would make an entry wider: the amount takes the place of padding."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE tablename = 'pricing_pricesnapshot'")
        (definition,) = [row[0] for row in cursor.fetchall()]
    assert definition.endswith("(release_id, day) INCLUDE (amount_minor)")
