"""Jobs know when their process last said that it is there."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """See the models."""

    dependencies = [("jobs", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="job", name="seen_at", field=models.DateTimeField(default=None, null=True)
        ),
    ]
