from django.apps import AppConfig


class PricingConfig(AppConfig):
    name = "pricing"
    verbose_name = "Prices"

    def ready(self) -> None:
        from django_q.signals import pre_execute  # noqa: PLC0415 models are ready only now

        from collections_app import schema  # noqa: PLC0415
        from pricing import tasks  # noqa: PLC0415
        from pricing.monitoring import checks, file_checks  # noqa: F401, PLC0415 registers the checks

        schema.watch()
        pre_execute.connect(tasks.note_start, dispatch_uid="pricing.tasks.note_start")
