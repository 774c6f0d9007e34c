"""Networks of the transformers library, by `hf:` and the id or folder of a model."""
