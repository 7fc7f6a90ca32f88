"""Tasks of the catalogue that the platform carries out."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """See the models."""

    dependencies = [("catalog", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="catalogtask",
            name="does",
            field=models.CharField(
                blank=True, default="", max_length=120, verbose_name="the platform carries out"
            ),
        ),
        migrations.AddField(
            model_name="catalogtask",
            name="values",
            field=models.JSONField(blank=True, default=dict, verbose_name="with"),
        ),
    ]
