"""Training of the embedded `tiny` network on the simulated world. Not part of the package."""
