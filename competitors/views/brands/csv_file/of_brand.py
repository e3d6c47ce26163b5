"""The columns of what a brand itself has: ad accounts and subreddits."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from django.core.exceptions import ValidationError

from competitors.models import AdAccount, BrandSubreddit
from competitors.reading.subreddit import read_subreddit
from pipeline.contract import InvalidRequest, NotAllowed
from pipeline.models import Brand

from ..ad_accounts import ask_meta, linked_words, read_account_id
from .columns import Column, ExclusiveColumn, register


class AdAccountColumn(ExclusiveColumn[AdAccount]):
    """The name is Meta's. One in the file stands until Meta has told it."""

    name, beside, model, fields = "ad_account", "ad_account_name", AdAccount, ["name"]

    def read(self, text: str) -> AdAccount:
        return AdAccount(account_id=read_account_id(text))

    def read_beside(self, row: AdAccount, text: str) -> None:
        try:
            row.name = AdAccount._meta.get_field("name").clean(text, row)
        except ValidationError as error:
            raise ValueError(" ".join(error.messages)) from error

    def cell_beside(self, row: AdAccount) -> str:
        return row.name

    def key(self, row: AdAccount) -> str:
        return row.account_id

    def cell(self, row: AdAccount) -> str:
        return row.account_id

    def update(self, row: AdAccount, read: AdAccount) -> str:
        if row.name or not read.name:
            return ""
        row.name = read.name
        return "It had no name."

    def taken(self, row: AdAccount, holder: Brand, user: Any) -> str:
        return linked_words(row.account_id, holder, user)

    def imported(self, brands: Iterable[Brand], user: Any) -> None:
        for brand in brands:
            with suppress(InvalidRequest, NotAllowed):  # the pages then say that Meta was not asked yet
                ask_meta(brand, user)


class SubredditColumn(Column[BrandSubreddit]):
    name, model, owner, fields = "subreddit", BrandSubreddit, "brand", ["name"]

    def read(self, text: str) -> BrandSubreddit:
        return BrandSubreddit(name=read_subreddit(text))

    def key(self, row: BrandSubreddit) -> str:
        return row.name.casefold()

    def cell(self, row: BrandSubreddit) -> str:
        return row.name

    def update(self, row: BrandSubreddit, read: BrandSubreddit) -> str:
        """Another way to write the name is the same subreddit."""
        return ""

    def permission(self, action: str) -> str:
        """They are part of the brand's own page."""
        return super().permission(action) if action == "view" else "pipeline.change_brand"


register(AdAccountColumn())
register(SubredditColumn())
