"""`mono_depth demo`: the whole path on one machine, measured and shown in pictures."""
