from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("collections_app", "0007_unread_rows_and_confirmation")]

    operations = [
        migrations.AlterField(
            model_name="collectioninstance",
            name="connection",
            field=models.ForeignKey(
                db_index=False,
                on_delete=models.deletion.CASCADE,
                related_name="instances",
                to="collections_app.discogsconnection",
            ),
        ),
        migrations.AlterField(
            model_name="collectioninstance",
            name="release",
            field=models.ForeignKey(
                db_index=False,
                on_delete=models.deletion.PROTECT,
                related_name="instances",
                to="collections_app.release",
            ),
        ),
        migrations.AlterField(
            model_name="wantlistitem",
            name="connection",
            field=models.ForeignKey(
                db_index=False,
                on_delete=models.deletion.CASCADE,
                related_name="wants",
                to="collections_app.discogsconnection",
            ),
        ),
    ]
