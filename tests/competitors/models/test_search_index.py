"""The index over folded texts: a search finds the same rows with it, before a row is indexed and after."""

import pytest
from django.db import ProgrammingError, connection

from competitors.models import AmazonReview
from competitors.views import list_filter
from pipeline.contract.site import search_index
from pipeline.contract.site.search_index import index_queued, make_indexes, may_have
from pipeline.contract.source import rounds
from pipeline.words.search import folded
from tests.competitors.addresses import of_listing
from tests.factories import make_competitor, make_listing, make_person, make_review

pytestmark = pytest.mark.django_db
TABLE = AmazonReview._meta.db_table


@pytest.fixture
def listing():
    return make_listing(make_competitor())


def queued():
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {TABLE}_queue")
        return cursor.fetchone()[0]


def found(*words):
    return set(may_have(AmazonReview, [folded(word) for word in words]))


@pytest.fixture
def three(listing):
    """Keys of three reviews that are indexed."""
    texts = ("calming chews", 'Crème brûlée 100% real_taste back\\slash "quoted"', "品質が良い")
    rows = [make_review(listing, review_id=f"R{number:09}", body=text) for number, text in enumerate(texts)]
    index_queued()
    assert queued() == 0
    return [row.pk for row in rows]


@pytest.mark.parametrize(
    ("words", "place"),
    [
        (["chew"], 0),  # a part of a word
        (["chews", "calming"], 0),
        (["lming ch"], 0),
        (["creme"], 1),
        (["100%"], 1),
        (["real_t"], 1),
        (["ck\\sl"], 1),
        (['"quo'], 1),
        (["品質が"], 2),
    ],
)
def test_rows_that_have_the_words_are_found_and_few_others(three, words, place):
    assert found(*words) == {three[place]}


def test_words_of_two_letters_are_left_to_the_texts(three):
    assert may_have(AmazonReview, ["ch"]) is None
    assert found("ch", "chews") == {three[0]}


def test_a_row_that_is_not_indexed_yet_is_found_with_any_words(listing, three):
    new = make_review(listing, review_id="RNEW", body="something else")
    assert queued() == 1
    assert found("chews") == {three[0], new.pk}
    index_queued()
    assert (queued(), found("chews"), found("something")) == (0, {three[0]}, {new.pk})


def test_a_changed_text_is_found_at_once_and_one_that_stays_is_not_indexed_anew(three):
    row = AmazonReview.objects.get(pk=three[0])
    row.helpful_votes = 7
    row.save()
    assert queued() == 0
    row.body = "sour drops"
    row.save()
    assert found("drops") == {three[0]}
    index_queued()
    assert (queued(), found("drops")) == (0, {three[0]})


def test_a_row_that_is_still_queued_can_be_changed_by_an_upsert(listing):
    row = make_review(listing, review_id="RNEW", body="something else")
    row.body, row.search_text = "sour drops", "sour drops"
    key = ["review_id", "asin", "domain_code"]
    AmazonReview.objects.bulk_create([row], update_conflicts=True, unique_fields=key, update_fields=["body", "search_text"])
    assert found("drops") == {row.pk}


@pytest.mark.only_on("sqlite")
def test_triggers_that_failed_in_an_upsert_are_replaced(listing):
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER {TABLE}_queue_new")
        cursor.execute(
            f"CREATE TRIGGER {TABLE}_queue_new AFTER INSERT ON {TABLE}"
            f" BEGIN INSERT OR IGNORE INTO {TABLE}_queue VALUES (NEW.id); END"
        )
        make_indexes("default")
        cursor.execute("SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND sql LIKE '%%OR IGNORE%%'")
        assert cursor.fetchone() == (0,)


def test_a_deleted_row_is_no_row_of_a_search(three, listing):
    AmazonReview.objects.filter(pk=three[0]).delete()
    assert not listing.reviews().filter(pk__in=found("chews")).exists()


def test_what_too_many_rows_have_is_read_from_their_texts(three, monkeypatch):
    monkeypatch.setattr(search_index, "MOST", 0)
    assert may_have(AmazonReview, ["chews"]) is None
    assert found("absent") == set()


def test_too_many_rows_in_the_queue_leave_the_search_to_the_texts(listing, three, monkeypatch):
    make_review(listing, review_id="RNEW")
    monkeypatch.setattr(search_index, "MOST", 0)
    assert may_have(AmazonReview, ["absent"]) is None


def lose_a_trigger():
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER {TABLE}_queue_new" + (f" ON {TABLE}" if connection.vendor == "postgresql" else ""))


def test_triggers_that_a_migration_lost_are_made_anew(listing, three):
    lose_a_trigger()
    make_indexes("default")
    make_review(listing, review_id="RNEW")
    assert queued() == 1


@pytest.mark.parametrize("few", [0, 5000])
def test_the_list_shows_the_same_with_the_index_and_without(client, listing, three, monkeypatch, few):
    monkeypatch.setattr(list_filter, "FEW", few)
    make_review(listing, review_id="RNEW", body="chews that are not indexed")
    client.force_login(make_person("ann", "viewer"))
    page = client.get(of_listing("reviews", listing, q="chews")).content.decode()
    assert ("calming chews" in page, "not indexed" in page, "brûlée" in page) == (True, True, False)


def test_workers_index_in_their_rounds():
    assert index_queued in rounds()


def test_a_database_that_cannot_have_the_index_is_migrated_and_searched_without(three, monkeypatch, caplog):
    def refuse(*_):
        raise ProgrammingError('permission denied to create extension "pg_trgm"')

    lose_a_trigger()
    monkeypatch.setattr(search_index, "_make", refuse)
    make_indexes("default")
    assert "There is no search index for" in caplog.text
    monkeypatch.setattr(search_index, "_is_there", lambda *_: False)
    assert may_have(AmazonReview, ["chews"]) is None
    index_queued()


def test_a_row_that_is_indexed_in_the_middle_of_a_search_is_found(three, listing):
    new = make_review(listing, review_id="RNEW", body="meanwhile")
    asked: list[str] = []

    def index_before_the_second(execute, sql, *others):
        if sql.startswith("SELECT") and len(asked) < 2:
            asked.append(sql)
            if len(asked) == 2:
                index_queued()
        return execute(sql, *others)

    with connection.execute_wrapper(index_before_the_second):
        assert found("meanwhile") == {new.pk}
    assert (len(asked), queued()) == (2, 0)
