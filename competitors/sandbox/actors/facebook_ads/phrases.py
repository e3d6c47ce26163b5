"""Made-up pages, and sentences to build ads from."""

PAGES = [
    ("Barkwell", "Pet Supplies"), ("Northfell Naturals", "Vitamins/Supplements"), ("Calmora", "Health/Beauty"),
    ("Brightwick Home", "Home Decor"), ("Tavolo Kitchen", "Kitchen/Cooking"), ("Pinegrove Lab", "Product/Service"),
    ("Oskelin Outdoor", "Outdoor & Sporting Goods Company"), ("Marlowe & Fig", "Clothing (Brand)"),
]  # fmt: skip
PRODUCTS = [
    "calming chews",
    "joint tablets",
    "travel mugs",
    "desk lamps",
    "herbal teas",
    "paw balm",
    "garden gloves",
    "night cream",
]

HOOKS = [
    "I was about to give up on {thing}. Then my sister sent me these.",
    "Three things nobody tells you about {thing}:",
    "Your {thing} should not cost this much.",
    "“Best purchase of the year.” — Dana K.",
    "Why are 40,000 people switching their {thing}?",
    "Last call: the spring batch is nearly gone.",
]
BODIES = [
    "Made in small batches from ingredients you can read.",
    "Try it for 60 days. If it is not for you, we pay you back.",
    "Free shipping over $40, today only.",
    "Vets, groomers and picky eaters agree.",
    "✅ No fillers\n✅ Made for daily use\n✅ Loved by 12,000 families",
    "Order two, get the third on us 🎉",
    "Save 25% with code HELLO & feel the difference in a week.",
]
TITLES = ["Try {thing} today", "25% off {thing}", "The {thing} people talk about", "Meet your new {thing}", "Ends Sunday"]
CALLS = [
    ("Shop Now", "SHOP_NOW"),
    ("Learn More", "LEARN_MORE"),
    ("Get Offer", "GET_OFFER"),
    ("Sign Up", "SIGN_UP"),
    ("Send Message", "MESSAGE_PAGE"),
]
PATHS = ["", "products/{slug}", "collections/best-sellers", "pages/quiz", "lp/{slug}-offer"]
IMPRESSIONS = ["<100", "100-1K", "1K-5K", "5K-10K", "10K-50K", "50K-100K", "100K-500K", "500K-1M", ">1M"]
COUNTRIES = ["DE", "FR", "NL", "IE", "ES", "IT", "SE"]
