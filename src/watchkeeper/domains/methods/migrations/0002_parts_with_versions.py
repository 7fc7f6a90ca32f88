from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("methods", "0001_versions_of_methods")]

    operations = [
        migrations.AlterField(
            model_name="methodversion",
            name="part",
            field=models.CharField(
                choices=[
                    ("cause", "probable cause"),
                    ("levels", "unusual values"),
                    ("correlation", "which alerts belong together"),
                ],
                max_length=32,
            ),
        ),
    ]
