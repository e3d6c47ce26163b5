from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("competitors", "0016_months_of_ads")]

    operations = [
        migrations.AddIndex(model_name="competitorad", index=models.Index(fields=["ad_archive_id"], name="ad_by_id")),
    ]
