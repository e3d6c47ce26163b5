"""Which run is next: the queries, and the claim as one of them."""
