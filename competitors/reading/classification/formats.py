"""What the ad is made as. The first rule that fits wins: the more telling signs come first."""

import re

from .signs import DISCOUNT, Ad, sign

_CHANGE = sign(
    r"before (?:and|&|vs\.?|/) after", r"before/after", r"transformation", r"(?:day|week|month) (?:1|one) vs\.?",
    r"(?:day|week) \d+ ?(?:vs|to|->|→)", r"what a difference", r"look at (?:this|the) difference",
    r"(?:\d+|one|two|three|four|six|eight) (?:days|weeks|months) (?:later|apart|of using)",
    r"same (?:dog|skin|room|person|lawn|carpet|shoes)",
    r"from [\w' ]{3,30} to [\w' ]{3,30} in (?:just |only )?(?:\d+|one|two|three|four|six|eight|a|under)",
)  # fmt: skip
_FOUNDER = sign(
    r"founder\w*", r"co-founder", r"(?:i|we) (?:started|founded|created|built|launched|invented|quit)",
    r"(?:my|our) (?:story|kitchen|garage|small business|family business)", r"why (?:i|we) (?:started|made|built|created)",
    r"(?:i|we)'m (?:the )?(?:maker|owner)", r"family[- ]owned", r"when (?:my|our) [\w ]{2,30}, (?:i|we) (?:made|built|decided)",
)  # fmt: skip
_OWN = "(?:dog|cat|husband|wife|skin|hair|son|daughter|kids?|back|knees?|puppy|pup|mom|toddler)"
_OTHERS_WORDS = sign(
    r"i was (?:so )?(?:skeptical|sceptical|hesitant|nervous|amazed|shocked)",
    r"i (?:didn't (?:believe|think|expect)|never thought)",
    r"i (?:couldn't|can't) believe", r"i (?:finally|actually) (?:sleep|found|feel)",
    r"(?:changed|saved) my (?:life|skin|sleep|back|marriage|mornings)", r"game[- ]changer",
    r"i(?:'ve| have)? (?:been using|tried (?:everything|them all|so many|dozens|\w+ other|it for)|swear by|bought)",
    rf"my {_OWN} (?:is|are|has|have|loves?|used to|now|finally|went|sleeps?|feels?|stopped|no longer)",
    r"verified (?:buyer|customer|purchase)", r"real (?:customers?|reviews?|results|people)",
    r"(?:here's )?what (?:our )?(?:customers|people|they|others|moms|dog parents) (?:are saying|say)", r"10/10",
    r"best (?:purchase|thing|money) (?:i|i've)", r"testimonial\w*", r"don't (?:just )?take our word", r"highly recommend",
    r"hear (?:from|what|it from)",
)  # fmt: skip
_STARS = re.compile(r"[★⭐]{2,}")
_QUOTE = re.compile(r"^[^\w]{0,4}\"[^\"]{15,}\"", re.DOTALL)
_SHOWN = sign(
    r"(?:watch|see) (?:how|it|us|me|this|what happens|the)", r"see it in action", r"in action", r"how it works",
    r"here's how (?:it|to use|you use|easy)", r"how to use", r"step (?:1|one)",
    r"(?:\d|two|three|four) (?:easy |simple |quick )?steps", r"tutorial", r"demo", r"unbox\w*",
    r"just (?:spray|pour|apply|plug|tap|clip|snap|peel|wipe|shake|scan|twist|press|unfold|pop|add|roll)",
    r"simply (?:spray|pour|apply|plug|tap|clip|snap|peel|wipe|shake|scan|twist|press|unfold)",
    r"in (?:under )?(?:\d+|one|thirty|sixty|ten) seconds", r"let me show you", r"we (?:put|tested)",
    r"put (?:it|them) to the test", r"walk ?through", r"takes (?:only |just )?\d+ (?:seconds|minutes)",
)  # fmt: skip
_TAUGHT = sign(
    r"did you know", r"here's (?:why|what|the truth)",
    r"(?:\d+|three|five|seven|ten) (?:\w+ )?(?:reasons|signs|tips|ways|mistakes|things|facts|myths|foods|habits|questions|rules)",
    r"the (?:science|truth) (?:behind|about|of)", r"studies (?:show|have)", r"research(?:ers)? (?:shows?|found|suggests?)",
    r"stud(?:y|ies) found", r"guide", r"learn (?:how|why|what|about|the)", r"explained", r"myth\w*",
    r"most people (?:don't|think|never|believe)",
    r"according to", r"experts?", r"what (?:happens|you need to know|to look for|nobody tells|no one tells)",
    r"how to (?!use)", r"why (?:your|you|do|does|most|so many|we all|dogs|cats|it's)", r"causes?", r"read (?:the|more|our|on)",
    r"article", r"webinar", r"quiz",
)  # fmt: skip
_THINGS = sign(
    r"introducing", r"meet (?:the|our|your)", r"made (?:with|from|of|in|for|to)", r"designed (?:for|to|in|with|by)",
    r"crafted", r"features?", r"ingredients?", r"new (?:color|colour|flavor|flavour|collection|arrival|drop|season|formula)s?",
    r"available (?:now|in)", r"comes? (?:in|with)", r"engineered", r"built (?:for|to|with)", r"waterproof", r"lightweight",
    r"organic", r"vegan", r"handmade", r"hand-\w+", r"breathable", r"formula(?:ted)?", r"packed with", r"powered by",
    r"collection", r"now in", r"lasts? (?:up to )?\d+", r"\d+ ?(?:g|grams|mg) of",
    r"the (?:softest|lightest|only|most comfortable|warmest|perfect)", r"just (?:landed|dropped|arrived|launched)",
    r"zero sugar", r"just \w+ and \w+", r"all-in-one", r"machine washable", r"new in", r"for every(?:day|one)?",
)  # fmt: skip


def format_of(ad: Ad) -> str:
    words = ad.words
    if _CHANGE.search(words):
        return "before_after"
    if _FOUNDER.search(words):
        return "founder"
    if _STARS.search(words) or _QUOTE.search(ad.body) or _OTHERS_WORDS.search(words):
        return "testimonial"
    if DISCOUNT.search(ad.opening) or DISCOUNT.search(ad.title):
        return "offer"
    if _SHOWN.search(words):
        return "demo"
    if _TAUGHT.search(ad.opening) or _TAUGHT.search(ad.title):
        return "education"
    if DISCOUNT.search(words):
        return "offer"
    if _TAUGHT.search(words):
        return "education"
    return "product" if _THINGS.search(words) or "/products/" in ad.link else "unknown"
