"""Made-up sentences to build reviews from. Every keyword that operators search for occurs in some of them."""

PRODUCTS = [
    ("Calming Chews", "chews"), ("Salmon Oil Capsules", "capsules"), ("Joint Tablets", "tablets"), ("Dental Sticks", "sticks"),
    ("Bamboo Wipes", "wipes"), ("Vitamin Gummies", "gummies"), ("Travel Mugs", "mugs"), ("Desk Lamps", "lamps"),
    ("Probiotic Sachets", "sachets"), ("Garden Gloves", "gloves"), ("Herbal Tea Bags", "tea bags"), ("Paw Balm Tins", "tins"),
]  # fmt: skip
BRANDS = ["Northfell", "Calmora", "Brightwick", "Tavolo", "Pinegrove Lab", "Oskelin", "Marlowe & Fig", "Alder Creek"]
SIZES = ["Small", "Medium", "Large", "60 Count", "120 Count", "Single", "Pack of 2", "8 Ounce"]

NAMES = ["Alex", "Sam", "Chris", "Jo", "Robin", "Kim", "Dana", "Lee", "Max", "Toni", "Pat", "Nic", "Mika", "Ari"]
HANDLES = ["Amazon Customer", "Anonymous", "Happy Shopper", "Night Reader", "Two Cats", "mountain_mom", "bookworm 7"]

TITLES = {
    "good": [
        "Great {thing}", "Love these!", "Works as described", "Perfect for us", "Excellent quality", "Happy with it",
        "Five stars", "Would recommend", "Good value", "Amazing difference", "Really helpful", "Worth every penny",
    ],
    "middling": [
        "It's okay", "Good but not great", "Fair for the price", "Mixed feelings", "Average {thing}", "Three stars",
        "Decent, with limits", "Some days it works",
    ],
    "bad": [
        "Disappointed", "Waste of money", "Broke within weeks", "Terrible smell", "Not for us", "One star",
        "Want a refund", "Awful taste", "Bad batch?", "Do not buy",
    ],
}  # fmt: skip

SENTENCES = {
    "good": [
        "These {thing} are great and I keep a spare at home.",
        "I love how simple it is to use.",
        "Excellent quality for the price.",
        "It works better than the last brand we had.",
        "We saw an amazing change after {time}.",
        "Perfect size, and the packaging was neat.",
        "My {who} is happy, so I am happy.",
        "The customer service was helpful when one parcel got lost.",
        "I would recommend this to a friend without a second thought.",
        "Good value, and it arrived a day early.",
        "The taste must be fine, because nothing is ever left over.",
        "There is hardly any smell, which I did not expect.",
        "After {time} I ordered again.",
        "Solid {thing}, no complaints so far.",
        "My {who} asks for it every morning.",
    ],
    "middling": [
        "It does the job, though not much more.",
        "The price went up since my first order.",
        "Some of the {thing} were fine, some were not.",
        "The quality is good but the lid is hard to close.",
        "I expected a bit more for the price.",
        "My {who} likes it on some days and ignores it on others.",
        "No difference in the first {time}, a little after that.",
        "The smell takes some getting used to.",
        "Delivery was slow, the {thing} themselves are all right.",
        "Value is fair when it is on offer.",
    ],
    "bad": [
        "It broke after {time}.",
        "A waste of money, sadly.",
        "The smell is terrible and filled the whole kitchen.",
        "I am disappointed, because the old version was better.",
        "My {who} got nothing out of it.",
        "The taste is awful, even hidden in food.",
        "I asked for a refund and am still waiting.",
        "The quality has gone down, the price has not.",
        "The seal was open when the box came, which is a bad sign.",
        "It never works twice in a row.",
        "I would not buy these {thing} again.",
        "Half of it was dust at the bottom of the bag.",
    ],
}

TIMES = ["two days", "a week", "ten days", "three weeks", "a month", "about six weeks", "one season"]
WHO = ["dog", "cat", "husband", "wife", "sister", "neighbor", "son", "daughter", "old terrier", "mother"]
EMOJI = ["👍", "❤️", "🐶", "😡", "⭐⭐⭐", "🤷‍♀️", "👨‍👩‍👧", "🎉"]
EDITS = [
    "Edit: after more time I changed my mind.",
    "Update: the seller sent a new one.",
    "Edited to add that it still holds up.",
]
