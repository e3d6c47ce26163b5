"""Figures as people read them. What is not known is '': each page has its own sign for that."""

from decimal import ROUND_HALF_UP, Decimal

from .rates import Number

# ISO 4217: the currencies whose amounts have other than two decimals.
DECIMALS = {
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
}
SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}


def rounded(value: Decimal, decimals: int) -> Decimal:
    return Decimal(value).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def plain_money(value: Decimal | None, currency: str) -> Decimal | None:
    """With as many decimals as the currency has."""
    return None if value is None else rounded(value, DECIMALS.get(currency, 2))


def money(value: Decimal | None, currency: str) -> str:
    """'$4,212.60', '¥5,000', 'AUD 12.00'."""
    if value is None:
        return ""
    amount = rounded(value, DECIMALS.get(currency, 2))
    sign = SIGNS.get(currency, f"{currency} " if currency else "")
    return f"{'−' if amount < 0 else ''}{sign}{abs(amount):,}"


def percent(part: Decimal | None, decimals: int = 2) -> str:
    return "" if part is None else f"{rounded(part * 100, decimals)} %"


def ratio(value: Decimal | None) -> str:
    return "" if value is None else f"{rounded(value, 2):,}"


def count(value: Number) -> str:
    """Meta may count a part of a purchase."""
    if value is None:
        return ""
    number = Decimal(value).normalize()
    return f"{number:,f}"
