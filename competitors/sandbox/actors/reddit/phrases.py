"""Made-up themes, and sentences to build posts and comments from. The first themes are what the demo's brand sells to."""

from dataclasses import dataclass

from . import remarks


@dataclass(frozen=True)
class Theme:
    words: frozenset[str]  # a query with these words is about it
    subreddits: tuple[str, ...]
    titles: tuple[str, ...]
    openers: tuple[str, ...]
    telling: tuple[str, ...]  # what people suffer from, tried, want and doubt
    plain: tuple[str, ...]
    parts: remarks.Parts | None = None  # of what is said in comments; None: sentences of `telling`


NOISE = Theme(
    frozenset(
        "dog dogs anxiety anxious fireworks firework thunder noise loud calming chews chew afraid scared vest storm".split()
    ),
    ("dogs", "AnxiousDogs", "DogAdvice", "reactivedogs"),
    (
        "My dog is terrified of fireworks, and nothing helps",
        "Do calming chews for dogs work against thunder?",
        "Thunder phobia is getting worse every summer",
        "Dog anxiety during fireworks: what finally worked for you?",
        "Anxious dog shakes for hours after a loud noise",
        "Calming chews, vest or medication for a scared dog?",
    ),
    (
        "My dog is afraid of fireworks and every loud noise.",
        "We adopted an anxious dog last spring and the first thunder was a shock.",
        "Every July my dog hides from the fireworks in the bathtub.",
        "The storm season has started and our dog is scared of thunder again.",
    ),
    (
        "I'm so tired of watching my dog shake with anxiety all night.",
        "We tried a thunder vest and it did nothing for the dog.",
        "I wish there was a calming chew that works within an hour.",
        "All I want is one quiet night where my dog can sleep through the fireworks.",
        "I can't justify paying $40 a month for calming chews that may not work.",
        "The worst part is that my anxious dog won't eat when he is scared.",
        "We already use a white noise machine and it helps a little with thunder.",
        "The calming chews made my dog sleepy but he was still terrified, a waste of money.",
        "It would be great if the chews came with less sugar for small dogs.",
        "I hate seeing my dog pant and drool at every loud noise.",
    ),
    (
        "He is a four-year-old mix and sleeps in the hallway.",
        "The neighbours set fireworks off for a whole week.",
        "Our vet gave us a leaflet about noise and dogs.",
        "She is fine with the vacuum cleaner, only thunder does it.",
    ),
    remarks.NOISE,
)
JOINTS = Theme(
    frozenset(
        "joint joints stiff stiffness arthritis senior old hip hips glucosamine supplement supplements limping stairs".split()
    ),
    ("SeniorDogs", "OldManDog", "DogAdvice"),
    (
        "Stiff joints in my old dog: which supplement helped?",
        "Senior dog can't manage the stairs any more",
        "Glucosamine for dogs, worth it or not?",
        "Hip arthritis at eleven, what can I do at home?",
    ),
    (
        "My senior dog is stiff in his hips every morning.",
        "Our old dog was told to have arthritis in both joints.",
        "She began limping after walks, and the stairs are too much for her joints.",
    ),
    (
        "I'm heartbroken that my old dog struggles to stand up on his stiff legs.",
        "We tried glucosamine for three months and saw no difference in her joints.",
        "I wish a joint supplement told me how long it takes to work.",
        "All we want is that our senior dog can walk without pain again.",
        "The joint tablets are too expensive for a dog of 40 kilos.",
        "The worst part is the stiffness after a nap, he can hardly walk.",
        "We already use a ramp and a heated bed for the arthritis.",
        "The supplement smelled so awful that she refused it, a waste of money.",
    ),
    (
        "He will be thirteen in autumn.",
        "The vet suggested short walks twice a day.",
        "We live on the second floor without a lift.",
    ),
    remarks.JOINTS,
)
MUGS = Theme(
    frozenset("mug mugs travel coffee leak leaks lid thermos insulated commute kitchen tumbler".split()),
    ("Coffee", "BuyItForLife", "onebag"),
    (
        "A travel mug that does not leak in a bag?",
        "My insulated mug keeps coffee hot but the lid is impossible to clean",
        "Which travel mug for a long commute?",
    ),
    (
        "I carry coffee in a travel mug every morning on my commute.",
        "After four insulated mugs I still have coffee in my bag.",
    ),
    (
        "I'm fed up with a lid that leaks coffee all over my bag.",
        "We tried two famous travel mugs and both lids broke within a year.",
        "I wish there was a mug with a lid that comes apart for cleaning.",
        "All I want is coffee that is still hot after the commute.",
        "I can't justify $50 for a travel mug that leaks.",
        "The worst part is the smell of old coffee in the lid.",
    ),
    ("It has to fit under the machine.", "I take the train for an hour.", "Mine is dark green."),
    remarks.MUGS,
)
ON_TOPIC = (NOISE, JOINTS, MUGS)

ELSEWHERE = Theme(
    frozenset(),
    ("AskReddit", "personalfinance", "gaming", "movies", "apartments"),
    (
        "Which film deserves a sequel?",
        "The landlord kept half of the deposit",
        "Finished the last boss after forty tries",
        "What is your unpopular opinion about weddings?",
        "Is a five-year-old laptop worth repairing?",
        "Weekly thread: small wins",
    ),
    (
        "This happened on a Tuesday and I still think about it.",
        "Long story, thanks for reading.",
        "First post here, so tell me if it belongs elsewhere.",
    ),
    (
        "The contract says one thing and the agent says another.",
        "The ending made no sense to me at all.",
        "My cousin lent me the money for the rent.",
        "The update deleted my saved game.",
        "Our team lost in the last minute again.",
    ),
    ("It rained the whole day.", "We ordered pizza.", "The train was late.", "Anyway, that is all."),
)
REPLIES = ("Same here.", "This.", "Following, we have the same question.", "Have you asked in the weekly thread?", "Good luck!")
NAMES = ("mossy", "paper", "quiet", "amber", "north", "velvet", "copper", "lazy")
NOUNS = ("otter", "lantern", "biscuit", "harbor", "walnut", "kettle", "meadow", "comet")
