"""Addresses of ad libraries in the file of a brand's competitors."""

from competitors.models import CompetitorAdLibrary
from competitors.reading.ad_library import clean_address
from competitors.views.brands.csv_file.columns import Column, register


class AdLibraryColumn(Column[CompetitorAdLibrary]):
    name, model, fields = "ad_library_url", CompetitorAdLibrary, ["url"]

    def read(self, text: str) -> CompetitorAdLibrary:
        return CompetitorAdLibrary(url=clean_address(text))

    def key(self, row: CompetitorAdLibrary) -> str:
        return row.url

    def cell(self, row: CompetitorAdLibrary) -> str:
        return row.url

    def update(self, row: CompetitorAdLibrary, read: CompetitorAdLibrary) -> str:
        """Another address is another ad list."""
        return ""

    def label(self, row: CompetitorAdLibrary) -> str:
        return row.label


register(AdLibraryColumn())
