"""How the ad opens: its first sentence alone."""

import re

from .signs import DISCOUNT, PRAISE, PROBLEM, Ad, sign

_STATISTIC = re.compile(
    r"\W{0,3}(?:\d{1,3}(?:[.,]\d+)? ?%|\d+ (?:out of|in) \d+|\d+ |(?:one|two|three|four|five|six|seven|eight|nine|ten) )"
)
_WHO = "5-star|five-star|customers|reviews|happy|parents|owners|women|men|teams|families|runners|moms"
_PRAISE_NUMBER = re.compile(
    rf"\W{{0,3}}(?:over |more than |join (?:over |the )?)?[\d,.]+ ?(?:k|m|million|thousand)?\+? (?:\w+ )?(?:{_WHO})"
)
_STORY = sign(
    r"(?:when|after|before) (?:i|my|we|our)", r"(?:last|this) (?:year|week|summer|winter|month|spring|christmas)",
    r"(?:\d+|two|three|five|ten|a few) (?:years|months|weeks) ago", r"in (?:19|20)\d\d",
    r"(?:it|this|our story) (?:all )?(?:started|began)", r"once upon", r"true story",
    r"i (?:was|used|never|didn't|thought|had|quit|started|spent|almost|grew|tried|finally)",
    r"my (?:dog|cat|husband|wife|doctor|daughter|son|mother|mom|grandmother|grandfather|dad|puppy|friend|boss|vet)",
    r"we (?:were|started|built|spent|used to|founded)",
)  # fmt: skip
_QUOTED = re.compile(r"\W{0,4}\"|\W{0,3}[★⭐]{2,}")
_VERBS = (
    "stop get try meet discover say shop start upgrade give make treat ditch join watch see find feel take imagine "
    "turn learn unlock build grow book download order claim grab enjoy transform experience swap switch don't never "
    "forget save keep let wear sleep wake run cook create read look listen explore use put bring pack choose add "
    "travel train eat drink clean protect fuel hurry be go come check do ask tell just "
)
_ORDER = re.compile(rf"\W{{0,4}}(?:{'|'.join(_VERBS.split())})(?!\w)")


def hook_of(ad: Ad) -> str:
    opening = ad.opening
    if not opening:
        return "unknown"
    if opening.endswith("?"):
        return "question"
    if _PRAISE_NUMBER.match(opening) or _QUOTED.match(opening):
        return "social_proof"
    if DISCOUNT.search(opening):
        return "offer"
    if _STORY.search(opening):
        return "story"
    if _STATISTIC.match(opening):
        return "number"
    if PRAISE.search(opening):
        return "social_proof"
    if _ORDER.match(opening):
        return "command"
    return "problem" if PROBLEM.search(opening) else "unknown"
