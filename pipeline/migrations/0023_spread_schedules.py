from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("pipeline", "0022_bulk_actions")]

    operations = [
        migrations.AddField(
            model_name="schedulerule",
            name="spread",
            field=models.BooleanField(default=False, help_text="Its subjects start one after the other within the hour."),
        ),
    ]
