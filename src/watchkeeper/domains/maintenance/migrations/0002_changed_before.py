from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("maintenance", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="maintenancewindow",
            name="changed_before",
            field=models.JSONField(default=list, editable=False),
        ),
    ]
