"""The one door: whatever comes from outside can be stored in every column that takes it, in every way, on both databases."""

import json
import math

import pytest
from django.db import transaction
from django.db.models import TextField, Value
from django.db.models.functions import Concat
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pipeline.contract.landing import land
from pipeline.models import NotificationChannel, RejectedItem, Run, RunLog, Step
from pipeline.models.fields import ForeignJSONField, MessageField
from pipeline.words.foreign import MAX_DEPTH, TOO_DEEP, storable_json

from .rows import DOORS, door_columns, row_of_every_model, text_columns

# Columns that hold words of our own only, beside those with choices. A new column is not put here to make this test pass.
OWN_WORDS = {
    "ActorPrice.source",
    "AdClassification.words_key",
    "Brand.slug",
    "Brand.time_zone",
    "BulkAction.query",
    "ConcurrencyLimit.job_type",
    "ConcurrencyLimit.source",
    "DatasetStatus.dataset_key",
    "DatasetStatus.recent_ends",
    "DayTally.job_type",
    "DayTotal.job_type",
    "Event.job_type",
    "Event.kind",
    "FailedRun.job_type",
    "Incident.job_type",
    "Incident.kind",
    "Incident.source",
    "Job.cron_expression",
    "Job.job_type",
    "Job.time_zone",
    "MaxAge.dataset_key",
    "Media.sha256",
    "Outage.job_type",
    "Pause.job_type",
    "Pause.source",
    "RedditFinding.subject",
    "RedditQuote.text_key",
    "RedditResearch.subject",
    "Run.job_type",
    "ScheduleRule.cadence",
    "ScheduleRule.job_type",
    "ScheduleRule.time_zone",
    "SourceState.source",
    "UpstreamRun.fingerprint",
    "UpstreamRun.source",
    "UpstreamRun.tag",
}
NASTY = ["\0", "\ud83d", "\udc00\ud83d", "a\0b\x1b[31m\u202eb", "x" * 300_000, "\ufeff\u2028", "’" * 3000]
texts = st.text(st.characters(codec=None), max_size=60) | st.sampled_from(NASTY)
numbers = st.integers() | st.floats() | st.sampled_from([10**1000, -(10**400), 1e308, 5e-324, -0.0])
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
any_text = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def nested(levels):
    value: object = 1
    for _ in range(levels):
        value = [value]
    return value


def same(stored, given):
    """Equal as JSON. PostgreSQL gives a large float back as a whole number."""
    if isinstance(given, dict):
        return isinstance(stored, dict) and stored.keys() == given.keys() and all(same(stored[key], given[key]) for key in given)
    if isinstance(given, list):
        return isinstance(stored, list) and len(stored) == len(given) and all(map(same, stored, given))
    return math.isclose(stored, given) if isinstance(given, float) else (type(stored), stored) == (type(given), given)


def written(row, field, value):
    """The value of the column after an update, read back."""
    with transaction.atomic():
        assert type(row)._base_manager.filter(pk=row.pk).update(**{field.attname: value}) == 1
    return type(row)._base_manager.values_list(field.attname, flat=True).get(pk=row.pk)


def test_every_column_with_text_or_json_uses_the_door_or_holds_words_of_our_own():
    beside = {f"{model.__name__}.{field.name}" for model, field in text_columns() if not isinstance(field, DOORS)}
    chosen = {f"{model.__name__}.{field.name}" for model, field in text_columns() if field.choices}
    assert beside - chosen - {"Worker.kind"} == OWN_WORDS


@any_text
@given(text=texts)
@example("\0")
@example("\ud83d")
def test_any_text_can_be_stored_in_every_text_column(db, text):
    with transaction.atomic():
        rows = row_of_every_model()
        for model, field in door_columns():
            if isinstance(field, ForeignJSONField):
                continue
            stored = written(rows[model], field, text)
            assert "\0" not in stored
            stored.encode()  # half of a surrogate pair could not be
            assert len(stored) <= (field.max_length or 100_000)
            if text.isalnum() and len(text) <= min(field.max_length or 9, 9) and text.encode(errors="replace").decode() == text:
                assert stored == text
        transaction.set_rollback(True)


@any_text
@given(value=values)
@example(None)
@example([None])
@example({"a\0": 1, "a": 2, **dict.fromkeys(map(chr, (0xD83D, 0xDC00, 0xFFFD)), 3)})
def test_any_json_can_be_stored_in_every_json_column_and_comes_back(db, value):
    with transaction.atomic():
        store_everywhere(value)
        transaction.set_rollback(True)


# Python itself cannot print these, nor can hypothesis.
@pytest.mark.parametrize(
    "value", [nested(5000), [10**5000], {"k" * 100_000: "v"}, {"a": float("nan")}], ids="deep huge key nan".split()
)
def test_json_beyond_every_limit_can_be_stored_in_every_json_column(db, value):
    store_everywhere(value)


def store_everywhere(value):
    rows = row_of_every_model()
    for model, field in door_columns():
        if isinstance(field, ForeignJSONField):
            assert same(written(rows[model], field, value), storable_json(value))


def test_json_that_cannot_be_stored_becomes_text_that_says_what_it_was():
    given = {"nan": float("nan"), "inf": -math.inf, "big": -(2**2000), "pair": ["\ud83d\ude00"], "deep": nested(MAX_DEPTH + 3)}
    stored = storable_json(given)
    assert (stored["nan"], stored["inf"], stored["pair"]) == ("NaN", "-Infinity", ["😀"])
    assert int(stored["big"], 16) == -(2**2000)
    assert TOO_DEEP in json.dumps(stored["deep"])
    assert storable_json({"a\0": 1, "a": 2, "b\ud83d": 3}) == {"a": 2, "a (2)": 1, "b\ufffd": 3}


def test_each_way_to_write_goes_through_the_door(db):
    run = row_of_every_model()[Run]
    item = {"a\0": [float("inf"), None]}
    RejectedItem.objects.create(run=run, reason="r\0", item=item)
    RejectedItem.objects.bulk_create(
        [RejectedItem(run=run, reason="r\0", item=item), RejectedItem(run=run, reason="r", item=None)]
    )
    saved = RejectedItem(run=run, reason="r", item={})
    saved.item, saved.reason = item, "r\0"
    saved.save()
    land(Step, [{"run_id": run.pk, "name": "landed\0", "result": item}], key=["run_id", "name"])
    kept = RejectedItem.objects.filter(run=run).exclude(reason="").order_by("pk").values_list("reason", "item")
    clean = ("r", {"a": ["Infinity", None]})
    assert list(kept) == [clean, clean, ("r", None), clean]
    assert Step.objects.get(name="landed\0").result == clean[1]  # a filter asks the field too


def test_a_message_is_one_line_that_can_be_shown_and_holds_no_secret(db, settings):
    settings.APIFY_TOKEN = "apify_api_0123456789"
    run = row_of_every_model()[Run]
    words = "first\n2026-01-01 forged\x1b[2J \u202eabc https://x.test/?token=s3cr3t&a=1 apify_api_0123456789 Bearer abcdef123"
    line = RunLog.objects.create(run=run, seq=1, at=run.created_at, message=words)
    line.refresh_from_db()
    assert line.message == (
        "first\\n2026-01-01 forged\\x1b[2J \\u202eabc https://x.test/?token=[secret]&a=1 [secret] Bearer [secret]"
    )


def test_a_message_of_any_size_is_cut(db, settings):
    settings.PIPELINE_MESSAGE_CHARACTERS = 200
    run = row_of_every_model()[Run]
    for field in (field for model, field in door_columns() if model is Run and isinstance(field, MessageField)):
        stored = written(run, field, "\0é" * 1_000_000)
        assert (len(stored), stored[-1]) == (200, "…")


@pytest.mark.parametrize(
    "words",
    [
        "t=apify_api_a%2Fb0123456789",
        "apify_api_a/b0123456789",
        "of an ad account: EAABXyZ0123456789",
        "of another account: apify_api_XyZ0123456789",
        "Authorization: Basic dXNlcjpwYXNzd29yZA==",
        "'X-Api-Key': 'XyZ0123456789'",
        "Cookie: session=XyZ0123456789",
        "api-key=XyZ0123456789",
    ],
)
def test_a_secret_is_left_out_in_every_form_in_which_it_is_sent(settings, words):
    settings.APIFY_TOKEN, settings.META_ACCESS_TOKENS = "apify_api_a/b0123456789", {"act_1": "EAABXyZ0123456789"}
    kept = MessageField().cleaned(words)
    assert "[secret]" in kept
    assert "0123456789" not in kept
    assert "dXNl" not in kept
    assert MessageField().cleaned("A basic question: the plan is Basic.") == "A basic question: the plan is Basic."


def test_a_secret_is_encrypted_in_its_column_and_gone_with_the_key(db, settings):
    channel = NotificationChannel.objects.create(name="x", kind="webhook", address="https://x.test/secret", shown="x")
    raw = NotificationChannel.objects.annotate(raw=Concat("address", Value(""), output_field=TextField())).get().raw
    assert "secret" not in raw
    assert NotificationChannel.objects.get().address == "https://x.test/secret"
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another-key" * 6
    assert NotificationChannel.objects.get().address == ""
    settings.SECRET_KEY_FALLBACKS = [old]
    assert NotificationChannel.objects.get().address == channel.address
