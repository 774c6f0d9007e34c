"""Networks of others: the cards that describe them, and what those say."""
