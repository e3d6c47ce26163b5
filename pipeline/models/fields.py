"""The columns that take text and JSON from outside: each value is cleaned on its way in, whichever way that is.

`save()`, `create()`, `bulk_create()`, `update()`, `land()` and lookups all ask the field. A model's plain TextField, CharField
or JSONField is for words of our own only; a test has the list. Migrations know only Django's fields: the column is the same.
"""

from base64 import urlsafe_b64encode
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.crypto import salted_hmac

from ..words.foreign import message, shortened, storable, storable_json
from ..words.names import clean_name
from ..words.search import AlikeFolded


class KeyText(models.Func):
    """A primary key as str() writes it. SQLite stores a UUID without its dashes."""

    template = "CAST(%(expressions)s AS text)"
    output_field = models.TextField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        (column,) = self.get_source_expressions()
        if not isinstance(column.output_field, models.UUIDField):
            return self.as_sql(compiler, connection, **context)
        sql, params = compiler.compile(column)
        parts = [f"substr({sql}, {start}, {length})" for start, length in ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))]
        whole = " || '-' || ".join(parts)
        return f"({whole})", [*params] * len(parts)


class ForeignTextField(models.TextField):
    """Text as it came, without what the databases refuse, cut at PIPELINE_TEXT_CHARACTERS."""

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return self.cleaned(value) if value and isinstance(value, str) else value

    def cleaned(self, text: str) -> str:
        return shortened(storable(text), settings.PIPELINE_TEXT_CHARACTERS)

    def deconstruct(self) -> Any:
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.TextField", args, kwargs


class FoldedTextField(ForeignTextField):
    """Text as `folded` makes it, to search in many rows. `field__alike=word` folds the word alone."""


FoldedTextField.register_lookup(AlikeFolded)


class MessageField(ForeignTextField):
    """What a person reads: one line of at most PIPELINE_MESSAGE_CHARACTERS, harmless to show, without our secrets."""

    def cleaned(self, text: str) -> str:
        return message(text, settings.PIPELINE_MESSAGE_CHARACTERS)


class TracebackField(ForeignTextField):
    """Like a message, but of many lines."""

    def cleaned(self, text: str) -> str:
        return message(text, settings.PIPELINE_TEXT_CHARACTERS, lines=True)


class SecretField(ForeignTextField):
    """Text that is encrypted in the database, with SECRET_KEY. '' where it was encrypted with a key that is gone."""

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return _fernet().encrypt(value.encode()).decode() if value else value

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        try:
            return _fernet().decrypt(value.encode()).decode() if value else value
        except InvalidToken:
            return ""


def _fernet() -> MultiFernet:
    """SECRET_KEY encrypts; what SECRET_KEY_FALLBACKS has encrypted can still be read."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    digests = [salted_hmac("pipeline.models.fields.SecretField", "", secret=key, algorithm="sha256").digest() for key in keys]
    return MultiFernet([Fernet(urlsafe_b64encode(digest)) for digest in digests])


class ForeignCharField(models.CharField):
    """Short text as it came, without what the databases refuse, cut at its `max_length`."""

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return shortened(storable(value), self.max_length or 0) if isinstance(value, str) else value

    def deconstruct(self) -> Any:
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, kwargs


class NameField(ForeignCharField):
    """A name that people give. Every form tidies it, and refuses what nobody can see."""

    def clean(self, value: Any, model_instance: Any) -> Any:
        try:
            name = clean_name(value or "")
        except ValueError as error:
            raise ValidationError(str(error)) from error
        return super().clean(name, model_instance)


class ForeignJSONField(models.JSONField):
    """JSON as it came; what the databases cannot hold becomes text. In a column that is never NULL, None is JSON's null."""

    def get_prep_value(self, value: Any) -> Any:
        return storable_json(super().get_prep_value(value))

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        if value is None and not self.null:
            value = models.Value(None, models.JSONField())
        return super().get_db_prep_save(value, connection)

    def deconstruct(self) -> Any:
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.JSONField", args, kwargs
