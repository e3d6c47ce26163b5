"""Made-up sentences of all the kinds that a research quotes, each put together from parts, so that few are said twice."""

import random
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Parts:
    """What people of a theme talk about, with | between. A product has its article."""

    product: str
    problem: str
    goal: str
    feature: str
    time: str
    date: str
    price: str


TEMPLATES: dict[str, tuple[str, ...]] = {  # by the category of what they say
    "failed_solution": (
        "We tried {a_product} for {time} and it made no difference to {problem}.",
        "The {product} stopped working after {time}, and {problem} is back.",
        "Honestly, the {product} did nothing for {problem}.",
        "For us the {product} turned out to be a waste of money, {problem} came right back.",
        "I bought {a_product} in {date} and sent it back after {time}.",
    ),
    "buying_objection": (
        "I can't justify {price} for {a_product} that may not end {problem}.",
        "At {price} the {product} looked too expensive to me in {date}.",
        "I don't trust anybody who says that {a_product} will end {problem}.",
        "Is it really worth {price} to get {a_product} for {time}?",
        "For that price the {product} had better come with {feature}.",
    ),
    "desired_feature": (
        "I wish they made the {product} with {feature}.",
        "It would be great if there was one with {feature}, the {product} we saw had none.",
        "Does anyone make {a_product} with {feature}?",
        "What we miss is simple: the {product} should have a version with {feature}.",
        "I'm looking for something with {feature}, not just {a_product}.",
    ),
    "desired_outcome": (
        "All I want is {goal} before {date}.",
        "My only goal is {goal} by {date}.",
        "I'm hoping for {goal}, by {date} if I may choose.",
        "I would love to have {goal}, with or without the {product}.",
        "We are aiming for {goal} after {time} of this, that would be enough.",
    ),
    "familiar_solution": (
        "I swear by the {product} when it comes to {problem}.",
        "We have been using {a_product} since {date}, mostly against {problem}.",
        "The {product} worked well for us within {time}, {problem} is much less now.",
        "I'd recommend {a_product} to everybody here who knows {problem}.",
        "Our go-to is still the {product} that we got for {price}.",
    ),
    "pain_point": (
        "I'm so tired of {problem} after {time}.",
        "It is driving us crazy since {date}, {problem} above all.",
        "We can't deal with {problem} any longer after {time}.",
        "I dread {date} because of {problem}.",
        "For me the worst part in {date} was {problem}.",
    ),
}
NOISE = Parts(
    "a thunder vest|calming chews|a white noise machine|a pheromone collar|a calming bed|hemp treats|a lavender spray",
    "the shaking|the panting at night|the barking at every bang|the pacing|the hiding in the bathtub|the drooling",
    "a quiet night|a dog that sleeps through fireworks|a calm evening walk|a storm without tears|a normal summer",
    "less sugar|a dose for small dogs|a label that says how long it takes|a taste that picky dogs like|a smaller bag",
    "two weeks|a whole month|one storm|three evenings|half a summer",
    "July|November|December|the storm season|the last week of June",
    "$40 a month|$60|$25 a bag|$85",
)
JOINTS = Parts(
    "a joint supplement|glucosamine tablets|a heated bed|a car ramp|fish oil capsules|a support harness|green mussel chews",
    "the stiffness in the morning|the limping after walks|the slipping on stairs|the slow getting up|the whining at night",
    "a walk without limping|a dog that climbs the stairs again|a good last summer|an easy morning|a nap without groaning",
    "a dose for heavy dogs|less smell|a powder to mix in|a word on how long it takes|a softer tablet",
    "six weeks|three months|one winter|ten days|half a year",
    "October|the first frost|autumn|the cold months|January",
    "$55 a month|$120|$30 a jar|$200",
)
MUGS = Parts(
    "a travel mug|a steel tumbler|an insulated bottle|a ceramic mug|a vacuum flask|silicone lids|a spill-free cup",
    "the leaking lid|the coffee in my bag|the smell in the seal|the cold coffee at nine|the scrubbing every evening",
    "a hot coffee at noon|a bag without stains|a lid that closes|a mug that fits the machine|a clean seal",
    "a lid that comes apart|a handle|a wider mouth|a lock on the lid|a seal that I can replace",
    "two commutes|a week|four months|one winter|thirty washes",
    "September|the rainy season|winter|the new term|March",
    "$50|$35|$28 on sale|$70",
)


def remark(dice: random.Random, parts: Parts) -> str:
    return worded(dice.choice(TEMPLATES[dice.choice([*TEMPLATES])]), dice, parts)


def worded(template: str, dice: random.Random, parts: Parts) -> str:
    chosen = {one.name: dice.choice(getattr(parts, one.name).split("|")) for one in fields(parts)}
    product = chosen.pop("product")
    return template.format(product=product.removeprefix("an ").removeprefix("a "), a_product=product, **chosen)
