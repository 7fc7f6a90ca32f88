"""How people say the kinds of agreements."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """See the models."""

    dependencies = [("agreements", "0002_service_levels")]

    operations = [
        migrations.AlterField(
            model_name="agreement",
            name="kind",
            field=models.CharField(
                choices=[
                    ("sla", "service level agreement (with a customer)"),
                    ("ola", "operational level agreement (within the organisation)"),
                    ("uc", "underpinning contract (with a supplier)"),
                ],
                default="sla",
                max_length=3,
            ),
        ),
    ]
