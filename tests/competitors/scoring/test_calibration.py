"""The thresholds that a research starts with, on real posts: the topic of one subreddit against its own posts and all others."""

import json
import os
from collections import defaultdict
from pathlib import Path

import pytest

from competitors.models import RedditResearch
from competitors.scoring import Scorer

pytestmark = pytest.mark.needs_samples

TOPICS = {  # topic and queries, as people fill in the form
    "dogs": (
        "Dog owners and life with their dogs: puppies, rescue, training, health\ndog\npuppy\nrescue dog",
        "Losing a dog, and what helps owners in old age of their pet\nmy dog died\nold dog",
    ),
    "SkincareAddiction": (
        "Skin care routines for acne and dry skin\nacne routine\nmoisturizer sunscreen\ncleanser",
        "sunscreen for sensitive skin\nbest face wash",
    ),
    "Supplements": (
        "Supplements that people take for muscle, sleep and energy\ncreatine\nprotein powder\npre workout",
        "Do supplements work, and which are worth the money\nsupplement recommendation\nwhich supplement",
    ),
    "Coffee": (
        "Making good coffee at home: grinders, espresso machines, beans\nespresso machine\ncoffee grinder\npour over",
        "coffee",
    ),
    "BuyItForLife": (
        "Products that last for life, bought once, with a good warranty\nbuy it for life\nlifetime warranty\ndurable",
        "lifetime warranty products\nBIFL request",
    ),
    "nutrition": (
        "Healthy eating: what to eat, diets, vegetables, sugar and protein\nhealthy food\nnutrition\ndiet",
        "how to eat healthy on a budget\nhealthy meals",
    ),
}


@pytest.fixture(scope="module")
def posts():
    lines = (Path(os.environ["SAMPLES_DIR"]) / "reddit_posts.jsonl").read_text(encoding="utf-8").splitlines()
    found = defaultdict(list)
    for post in map(json.loads, lines):
        found[post["subreddit"]].append(f"{post['title']}\n{post['body']}")
    return found


@pytest.mark.parametrize("subreddit", TOPICS)
def test_between_10_and_60_percent_of_posts_on_topic_pass_and_under_5_percent_of_others(posts, subreddit):
    research = RedditResearch()
    corpus = [text for texts in posts.values() for text in texts]
    for topic in TOPICS[subreddit]:
        scorer = Scorer(topic, corpus)
        others = [text for name, texts in posts.items() if name != subreddit for text in texts[::3]]  # a third, to save time
        on_topic, off_topic = (
            sum(
                score.relevance >= research.relevance_threshold and score.signal >= research.signal_threshold
                for score in map(scorer.score, texts)
            )
            / len(texts)
            for texts in (posts[subreddit], others)
        )
        assert 0.1 <= on_topic <= 0.6, f"{topic}: {on_topic:.0%} of r/{subreddit}"
        assert off_topic < 0.05, f"{topic}: {off_topic:.1%} of the others"
