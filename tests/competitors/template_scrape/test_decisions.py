"""Decisions about candidates: each can be undone, who was slower is told, and the database keeps the rules."""

import threading
import uuid
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from competitors.jobs.template_scrape.decisions import decide, undo
from competitors.models import TemplateCandidate, TemplateCategory, TemplateDecision
from pipeline.models import DatasetStatus
from tests.factories import make_candidate, make_person

pytestmark = pytest.mark.django_db
FILED = {"name": "One line", "target_sex": "women", "awareness": 3, "sales_event": "Black Friday"}


def test_a_decision_files_the_template_and_undoing_it_restores_what_was():
    anna, ben = make_person("anna", "operator"), make_person("ben", "operator")
    category = TemplateCategory.objects.create(name="Offer")
    row = make_candidate(title="Ends Sunday")
    first = decide([row.pk], "pending", "approved", anna, filed={**FILED, "category": category}, version=0)
    row.refresh_from_db()
    assert (row.status, row.name, row.category, row.awareness, row.reviewed_by) == ("approved", "One line", category, 3, anna)
    approved = row.state()
    second = decide([row.pk], "approved", "archived", ben)
    row.refresh_from_db()
    assert (row.status, row.reviewed_by, row.name) == ("archived", ben, "One line")
    assert undo(first.batch, anna).refused == ["“One line” was decided about again since, so it stays."]
    assert not undo(second.batch, anna).refused
    row.refresh_from_db()
    assert row.state() == approved
    assert undo(second.batch, anna).refused == ["“One line” was undone already."]
    ben.delete()
    assert [one.status for one in TemplateDecision.objects.all()] == ["archived", "approved"]
    status = DatasetStatus.objects.get()
    assert (status.brand, status.dataset_key, status.last_status, status.records_affected) == (
        None,
        "templates_evaluated",
        "completed",
        1,
    )


def test_undoing_leaves_out_a_category_that_is_gone():
    category = TemplateCategory.objects.create(name="Offer")
    row = make_candidate()
    decide([row.pk], "pending", "approved", None, filed={"category": category})
    batch = decide([row.pk], "approved", "approved", None, filed={"category": None}).batch
    category.delete()
    undo(batch, None)
    row.refresh_from_db()
    assert (row.status, row.category) == ("approved", None)


def test_a_template_that_nobody_named_has_its_ads_title():
    rows = [make_candidate("1000001", title="Ends Sunday"), make_candidate("1000002", title="", page_name="Barkwell")]
    rows.append(make_candidate("1000003", title="", page_name=""))
    assert len(decide([row.pk for row in rows], "pending", "approved", None).done) == 3
    names = TemplateCandidate.objects.order_by("pk").values_list("name", flat=True)
    assert list(names) == ["Ends Sunday", "Barkwell", "Untitled"]


def test_of_two_who_decide_one_after_the_other_the_second_is_told():
    anna = make_person("anna", "operator")
    row = make_candidate(title="Ends Sunday")
    decide([row.pk], "pending", "rejected", anna)
    late = decide([row.pk], "pending", "approved", None)
    assert (late.done, late.refused) == ([], ["“Ends Sunday” is rejected already by anna. Nothing was changed."])
    decide([row.pk], "rejected", "approved", anna, version=1)
    edit = decide([row.pk], "approved", "approved", None, filed={"name": "Late"}, version=1)
    assert edit.refused == ["“Ends Sunday” was changed by anna just now. Look at it again."]
    row.refresh_from_db()
    assert (row.status, row.name, row.version) == ("approved", "Ends Sunday", 2)


@pytest.mark.django_db(transaction=True)
def test_of_many_who_decide_at_once_one_succeeds():
    row = make_candidate()
    gate, results = threading.Barrier(4), []

    def click(status: str) -> None:
        gate.wait(30)
        try:
            results.append(len(decide([row.pk], "pending", status, None).done))
        finally:
            connection.close()

    threads = [threading.Thread(target=click, args=(status,)) for status in ("approved", "rejected", "archived", "approved")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(results) == [0, 0, 0, 1]
    assert TemplateDecision.objects.count() == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": "lost"},
        {"status": "approved", "name": "x"},  # by nobody, at no time
        {"status": "approved", "name": "", "reviewed_at": "now"},
        {"reviewed_at": "now"},
        {"awareness": 0},
        {"awareness": 6},
        {"target_sex": "dogs"},
    ],
)
def test_the_database_refuses_a_candidate_that_cannot_be(wrong: dict[str, Any]):
    row = make_candidate()
    columns = {name: timezone.now() if value == "now" else value for name, value in wrong.items()}
    with pytest.raises(IntegrityError), transaction.atomic():
        TemplateCandidate.objects.filter(pk=row.pk).update(**columns)
    with pytest.raises(IntegrityError), transaction.atomic():
        TemplateCandidate.objects.create(library_ad=row.library_ad, media=row.media)
    TemplateCandidate.objects.create(media=row.media)
    with pytest.raises(IntegrityError), transaction.atomic():
        TemplateCandidate.objects.create(media=row.media)
    known = {"candidate": row, "status": "approved", "version": 1}
    TemplateDecision.objects.create(**known, batch=uuid.uuid4())
    with pytest.raises(IntegrityError), transaction.atomic():
        TemplateDecision.objects.create(**known, batch=uuid.uuid4())
