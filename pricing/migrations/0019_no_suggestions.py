"""Remove the suggestions by grade: `near_mint_minor` of the latest price says all of them."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("pricing", "0018_near_mint")]
    operations = [migrations.DeleteModel(name="PriceSuggestion")]
