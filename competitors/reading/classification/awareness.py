"""How much its reader must know already, after Schwartz: from nothing at all to the product and its price."""

from .signs import DISCOUNT, PRAISE, PROBLEM, RETURNING, SOLUTION, Ad

_OF_FORMAT = {"testimonial": "product", "product": "product", "demo": "product", "before_after": "product"}


def awareness_of(ad: Ad, made_as: str, hook: str) -> str:
    words = ad.words
    if not words:
        return "unknown"
    if made_as == "offer" or hook == "offer" or RETURNING.search(words):
        return "most_aware"
    if made_as in _OF_FORMAT and not (PROBLEM.search(ad.opening) and SOLUTION.search(words)):
        return _OF_FORMAT[made_as]
    if SOLUTION.search(words):
        return "solution"
    if PROBLEM.search(words):
        return "problem"
    if DISCOUNT.search(words):
        return "most_aware"
    if PRAISE.search(words):
        return "product"
    return "unaware" if made_as in ("education", "founder") or hook in ("story", "number") else "unknown"
