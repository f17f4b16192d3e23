from django.apps import AppConfig


class PricingConfig(AppConfig):
    name = "pricing"
    verbose_name = "Prices"

    def ready(self) -> None:
        from pricing import checks, file_checks  # noqa: F401, PLC0415 registers them; models are ready only now
