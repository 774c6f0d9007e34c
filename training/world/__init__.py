"""The furnished world: models of real things, placed by rules, seen by rasterized cameras."""
