"""People and how they sign in: what we change of django-allauth, and what it does not have."""
