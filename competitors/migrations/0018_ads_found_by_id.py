from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("competitors", "0017_posts_know_their_first_run")]

    operations = [
        migrations.AddIndex(model_name="competitorad", index=models.Index(fields=["ad_archive_id"], name="ad_by_id")),
    ]
