"""`mono_depth evaluate`: predictions judged by the truth."""
