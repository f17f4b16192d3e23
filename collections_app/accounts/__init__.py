"""User accounts and sign-in: our changes and additions to django-allauth."""
