"""What ads say: headline and words, of every kind that ads are told apart by."""

TEXTS = (
    ("Shop our bestsellers", "Meet your new favorite."),
    (
        "“I wish I had found it sooner”",
        "“My knees stopped hurting after two weeks.” – Dana, verified buyer. 4,000 five-star reviews.",
    ),
    ("50% off ends tonight", "Last chance: 50% off everything with code SAVE50. Free shipping over $40. Shop now."),
    ("Why are you still tired?", "Why do you wake up tired after eight hours? It may not be your mattress."),
    ("Watch it work", "See how it removes pet hair in 10 seconds. Press, swipe, done. No sticky sheets."),
    ("Before and after 30 days", "Before: dry, flaky skin. After 30 days: smooth again. Swipe to see the difference."),
    ("From our founder", "I started this company in my kitchen because nothing on the shelf helped my own dog."),
    (
        "5 signs of joint pain in dogs",
        "Did you know that 4 of 5 dogs over seven have sore joints? Learn the signs that vets look for.",
    ),
    (
        "Stop wasting money on refills",
        "Sick of filters that clog after a week? You are not alone: most of them are made to fail.",
    ),
    ("The calming chew vets recommend", "Soft chews with chamomile and L-theanine. No prescription. Works in 30 minutes."),
    ("Better than the old way", "Unlike sprays and collars, it works from the inside. Compare for yourself."),
    (
        "3 simple steps to better sleep",
        "How to fall asleep faster: dim the light, cool the room, and breathe slowly. Here is why.",
    ),
    ("Join 200,000 happy owners", "Rated 4.9 of 5. See why over 200,000 owners switched this year."),
    ("Built for every day", "Full-grain leather, brass zips, and a pocket for everything. Made to last."),
    ("Try it free for 30 days", "Order today, pay later. If you do not love it, send it back. Limited stock."),
    (
        "Last year I almost gave up",
        "Last year I could not climb the stairs. Then my sister sent me a link. This is what happened next.",
    ),
)
