"""Load a dump of an earlier version into the test database, at the migrations that it was made with."""

import gzip
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connection, models, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

Row = dict[str, Any]
UPGRADE_TAKES = timedelta(minutes=2)  # from the dump to the start of the new version: leases have lapsed
CHUNK = 200  # rows in one statement


class Dump:
    """The rows of a dump, with all times moved as if the old version had been stopped two minutes ago."""

    def __init__(self, path: Path) -> None:
        content = json.loads(gzip.decompress(path.read_bytes()))
        made_at = datetime.fromisoformat(content["made_at"])
        self._targets = [tuple(target) for target in content["migrations"]]
        self._tables: dict[str, dict[str, Any]] = content["tables"]
        self._later = timezone.now() - UPGRADE_TAKES - made_at
        self._days_later = timezone.now().astimezone(UTC).date() - made_at.astimezone(UTC).date()

    @property
    def labels(self) -> list[str]:
        return list(self._tables)

    def load(self) -> None:
        """Take the tables back to those of the dump, and insert its rows."""
        executor = MigrationExecutor(connection)
        executor.migrate(self._targets)
        old = executor.loader.project_state(self._targets).apps
        found = [old.get_model(label) for label in self._tables]
        # Foreign keys are checked at the end of the transaction, so the order of tables does not matter.
        with transaction.atomic():
            for model in found:
                rows = self.rows(model)
                model._base_manager.bulk_create([model(**row) for row in rows], batch_size=CHUNK)
        with connection.cursor() as cursor:
            for statement in connection.ops.sequence_reset_sql(no_style(), found):
                cursor.execute(statement)

    def rows(self, model: type[models.Model]) -> list[Row]:
        """The dumped rows of a model, of which fields that it does not have are left out."""
        table = self._tables[model._meta.label]
        fields = {field.attname: field for field in model._meta.concrete_fields}
        return [
            {
                name: self._read(fields[name], value)
                for name, value in zip(table["fields"], row, strict=True)
                if name in fields
            }
            for row in table["rows"]
        ]

    def _read(self, field: Any, value: Any) -> Any:
        if value is None:
            return None
        value = getattr(field, "target_field", field).to_python(value)
        if isinstance(value, datetime):
            return value + self._later
        return value + self._days_later if isinstance(value, date) else value

    def count(self, label: str) -> int:
        """How many rows a table of the dump has."""
        return len(self._tables[label]["rows"])

    def lost(self, label: str) -> list[Row]:
        """The dumped rows of a table that the database no longer has as they were."""
        model = apps.get_model(label)
        expected = self.rows(model)
        names = list(expected[0])
        stored = list(model._base_manager.values(*names))
        return [row for row in expected if row not in stored]


def migrate_to_newest() -> None:
    call_command("migrate", verbosity=0)
