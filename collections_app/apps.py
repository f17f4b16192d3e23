from django.apps import AppConfig


class CollectionsConfig(AppConfig):
    name = "collections_app"
    verbose_name = "Collections"

    def ready(self) -> None:
        from collections_app.accounts import second_factor  # noqa: PLC0415 it imports models

        second_factor.connect_signals()
