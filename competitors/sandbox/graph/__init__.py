"""Meta's Graph API as far as ads, their creatives, videos and tokens go."""

#: Every address of the Graph API begins with this, then comes the version.
GRAPH = "/graph"
VERSIONS = ("v25.0", "v26.0")
