"""The phrases that show what kind of thing a sentence says.

The order matters: a sentence is of the first kind that has a phrase in it, and the clearer kinds come first.
In the patterns, ~ stands for up to four words, and all is in lower case. That bound, and no repetition inside a repetition,
keep the time in proportion to the sentence.
"""

import re

_UP_TO_FOUR_WORDS = r"(?:[\w'-]{1,30},? ){0,4}"
_OWN = r"(?:i|we)"
_NOT_SAYING = r"(?! (?:know|note|say|share|ask|thank|hear|point|add|mention|emphasize|start|see)\b)"  # what is wanted of readers

_PATTERNS: dict[str, tuple[str, ...]] = {
    "failed_solution": (
        r"(?:didn't|doesn't|don't|never) (?:do|did) (?:shit|squat|jack|anything|a thing|much)\b",
        r"(?:did not|didn't|does not|doesn't|do not|don't|never|hasn't|haven't) (?:really |even |ever )?"
        r"(?:help|work|make a difference|make any difference|last|cut it)(?:ed|s)?\b",
        r"(?:no|zero|little|not any|not much) (?:effect|difference|luck|success|improvement|results?)\b",
        r"tried ~(?:everything|it all|them all|every)\b",
        r"tried ~(?:but|and) (?:nothing|none|no|it didn't|they didn't|it made|still)\b",
        r"(?:nothing|none of it|none of them|none of these) ~(?:work|help|last)(?:s|ed)?\b",
        r"(?:stopped|quit) (?:working|helping)\b",
        r"(?:did|does|do|done) (?:absolutely |almost )?nothing for\b",
        r"made (?:it|things|them|him|her|me|my \w+) ~(?:worse|sick)\b",
        r"(?:to no avail|without (?:any )?success|waste of (?:my )?(?:money|time)|wasted (?:my )?(?:money|time))\b",
        r"(?:gave up on|returned (?:it|them)|sent (?:it|them) back|threw (?:it|them) (?:out|away))\b",
        r"(?:fell apart|broke (?:after|within|in)|wore (?:out|off) (?:after|within|in)|died (?:after|within) (?:a|one|two|\d))\b",
        r"(?:was|were|is|are) (?:completely |totally |pretty )?(?:useless|worthless)\b",
    ),
    "buying_objection": (
        r"(?:too|so|really|very|pretty|insanely|ridiculously) (?:expensive|pricey|costly)\b",
        r"(?:can't|cannot|can not|couldn't|could not) (?:afford|justify)\b",
        r"(?:overpriced|over priced|rip-?off|scam|snake oil|gimmick|marketing hype|too good to be true)\b",
        r"(?:not|isn't|aren't|never|hardly|wasn't) worth (?:it|the|that|\$|\d|buying|paying)",
        r"(?:is|are|was) (?:it|they|this|that|these) (?:really |actually )?worth\b",
        r"(?:don't|do not|never|hardly) trust\b",
        r"(?:skeptical|sceptical|hesitant|reluctant|on the fence|put off by|put (?:me|us) off|not convinced|unconvinced)\b",
        r"(?:scared|afraid|nervous|wary) (?:to|of) (?:try|buy|order|spend|give|use|us|switch)\w*",
        r"(?:worried|concerned|nervous) about (?:the )?(?:side effects?|price|cost|ingredients?|quality|safety|shipping)\b",
        r"(?:won't|will not|wouldn't|would never|would not|refuse to|not going to|never going to|not gonna) "
        r"(?:pay|buy|spend|order|drop)\b",
        r"(?:costs? (?:too|so) much|for (?:that|this|the) (?:price|money|kind of money)|price tag|side effects?)\b",
        r"why (?:would|should) (?:i|anyone|anybody|you) (?:pay|buy|spend)\b",
        r"(?:hate|hates|refuse|refuses) ~subscriptions?\b",
    ),
    "desired_feature": (
        r"wish (?:it|they|these|those|this|that|the \w+|there|someone|somebody|companies|brands) "
        r"(?:had|have|has|was|were|came|come|would|could|made|also|didn't|wasn't|weren't|offered|included)\b",
        r"(?:would|it'd) be (?:so |really )?(?:nice|great|perfect|better|helpful|awesome|amazing) "
        r"if (?:it|they|there|the|someone|you)\b",
        r"if only (?:it|they|there|the|someone)\b",
        r"should (?:have|come with|include|offer|be able to come) (?:a|an|some|more|the)\b",
        r"(?:it|they|this|the \w+) (?:really )?needs? (?:a|an|more|to have|to come|to be)\b",
        r"(?:looking for|need|want) (?:a|an|one|some|something|anything) ~(?:that|which|with|without)\b",
        r"(?:need|want) (?:something|anything|one) (?:i|we|you|he|she|they) (?:can|could)\b",
        r"(?:does anyone|anyone|anybody|someone|why doesn't anyone|why does no one) (?:please )?(?:make|makes|sell|sells)\b",
        r"(?:is|are) there (?:a|an|any|anything|something|one) ~(?:that|which|with|without)\b",
        r"(?:must[- ]have|deal[- ]breaker|has to (?:be|have|fit|come)|have to be able)\b",
    ),
    "desired_outcome": (
        rf"{_OWN} (?:just |really |only |all |do |also )?want "
        rf"(?:to{_NOT_SAYING}|my|him|her|it|them|us|clear|a|an|the|nothing)\b",
        r"(?:all|what) (?:i|we) (?:really )?want\b",
        r"(?:i|we) (?:just |really )?wish (?:i|we|my|our|he|she|that my)\b",
        r"(?:i|we)(?:'m| am|'re| are)? (?:really |just |still )?(?:hope|hoping|aiming|looking to|trying to|dreaming|dream)\b",
        r"(?:i|we)(?:'d| would) (?:just |really )?(?:love|like|give anything|kill) "
        rf"(?:to{_NOT_SAYING}|for|my|it|if)\b",
        r"(?:my|our|the) (?:main |only |real |end |ultimate )?(?:goal|dream|hope|aim|wish) (?:is|was|would)\b",
        r"(?:be able to|so that (?:i|we|he|she|my) (?:can|could))\b",
        r"(?:i|we) (?:just |really |still )?(?:need|needed) (?:to|my|him|her|something|a way)\b",
        r"(?:can't wait|cannot wait|looking forward) to\b",
    ),
    "familiar_solution": (
        r"(?:swear|swears|swore) by\b",
        r"(?:i|we)(?:'ve| have)? (?:\w{2,12} )?(?:use|used|using|take|took|give|gave|bought|got|own|owned|switched to|stick to|"
        r"stuck with|rely on|recommend|started (?:using|taking|giving))(?: \w+){0,5} (?:and|for|since|every|daily|twice|"
        r"with|before|because|at|in|now|when|to)\b",
        r"(?:been|started|currently|am|was) (?:using|taking|giving|drinking|wearing|feeding)\b",
        r"(?:works|worked|helps|helped|has worked|has helped) (?:\w+ )?(?:great|well|wonders|best|perfectly|like a charm)\b",
        r"(?:works|worked|helps|helped|has worked|has helped) (?:\w+ )?(?:for (?:me|us|my|him|her)|with)\b",
        r"(?:helps|helped|has helped) (?:\w+ )?(?:me|us|him|her|a lot|a ton|so much|tremendously)\b",
        r"(?:my|our) (?:go-?to|holy grail|favou?rite|regular|usual|daily|trusty|current)\b",
        r"(?:can't|cannot|highly|would|i'd|i) recommend\b",
        r"(?:best|greatest) (?:\w+ )?(?:i|we)(?:'ve| have)? (?:ever )?(?:bought|used|tried|had|owned|made)\b",
        r"(?:did the trick|life ?saver|game ?changer|changed (?:my|our) life|still going strong|still works|still use)\b",
        r"(?:love|loves|loved) (?:my|our|this|these|his|her)\b",
    ),
    "pain_point": (
        r"(?:i|we|he|she|they|my \w+) (?:really |just |absolutely |so )?(?:hate|hated|dread|fear|struggle|struggled|suffer"
        r"|suffered|panic|shake|cry|cried|worry)s?\b",
        r"(?:he|she|my \w+) (?:cries|worries)\b",
        r"(?:frustrat|annoy|exhaust|embarrass|depress|overwhelm|terrif|irritat|devastat|disappoint)\w+",
        r"(?:sick|tired|fed up|scared|afraid|ashamed) (?:of|with)\b",
        r"(?:struggling|suffering|desperate|miserable|hopeless|heartbroken|nightmare|ruin(?:s|ed|ing)?|ordeal|agony)\b",
        r"(?:driv(?:es|ing|e)|drove) (?:me|us|him|her) (?:crazy|nuts|insane|mad|up the wall)\b",
        r"(?:can't|cannot|couldn't|can not) (?:even |seem to |really )?(?:stand|sleep|stop|take|eat|figure|get(?! enough)|handle"
        r"|deal|leave|relax|breathe|walk|concentrate|focus|go|calm|find|afford|do)\b",
        r"(?:at a loss|wits?'? end|no idea what|don't know (?:what|how)|do not know what|not sure what (?:to do|else))\b",
        r"(?:the|my|our|main|biggest|only|big|a) (?:problem|issue|trouble|pain|complaint|worst)(?: \w+){0,3} "
        r"(?:is|was|are|with)\b",
        r"(?:hurts?|painful|in pain|itch(?:y|es|ing)?|sore|swollen|bleeding|broke out|breaking out|breakouts?)\b",
        r"(?:won't stop|keeps? \w+ing)\b",
        r"(?:worried|anxious|anxiety|terrified|stressed|stressful|panic|worst|awful|horrible|terrible)\b",
        r"nothing (?:i|we) (?:say|do|did|try|said)\b",
        r"refus(?:es|ed) to\b",
        r"(?:had to|we) (?:stop|stopped|cancel|cancell?ed|give up|gave up|quit)\b",
    ),
}


def _compiled(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(patterns)})".replace("~", _UP_TO_FOUR_WORDS))


PHRASES = {category: _compiled(patterns) for category, patterns in _PATTERNS.items()}
