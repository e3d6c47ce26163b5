from django.db import migrations


def name_products(apps, schema_editor):
    """What each scrape so far was about: the ASIN that it was asked with, else its listing's."""
    runs = apps.get_model("pipeline", "Run").objects.filter(job_type="amazon_review_scrape", about="")
    for listing in apps.get_model("competitors", "CompetitorAmazonUrl").objects.iterator():
        for pk, parameters in runs.filter(subject=str(listing.pk)).values_list("pk", "parameters"):
            asked = str(parameters.get("asin") or "")
            asin = asked if len(asked) == 10 else listing.asin
            runs.filter(pk=pk).update(about=f"{listing.domain_code}:{asin}")


class Migration(migrations.Migration):
    dependencies = [("competitors", "0005_review_search_text"), ("pipeline", "0012_what_runs_are_about")]
    operations = [migrations.RunPython(name_products, migrations.RunPython.noop)]
