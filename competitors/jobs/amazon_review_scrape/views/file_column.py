"""Amazon URLs in the file of a brand's competitors."""

from competitors.models import CompetitorAmazonUrl
from competitors.views.brands.csv_file.columns import Column, register

from ..address import parse_amazon_address
from .forms import kept_address


class AmazonUrlColumn(Column[CompetitorAmazonUrl]):
    name, model, fields = "amazon_url", CompetitorAmazonUrl, ["amazon_url"]

    def read(self, text: str) -> CompetitorAmazonUrl:
        address = parse_amazon_address(text)
        row = CompetitorAmazonUrl(asin=address.asin, domain_code=address.domain_code)
        row.amazon_url = kept_address(text, row)
        return row

    def key(self, row: CompetitorAmazonUrl) -> str:
        return row.about

    def cell(self, row: CompetitorAmazonUrl) -> str:
        return row.amazon_url

    def update(self, row: CompetitorAmazonUrl, read: CompetitorAmazonUrl) -> str:
        """An ASIN alone, or the plain address, says no more than is known."""
        if read.amazon_url in (row.amazon_url, row.page_url):
            return ""
        was, row.amazon_url = row.amazon_url, read.amazon_url
        return f"Its address was {was}"


register(AmazonUrlColumn())
