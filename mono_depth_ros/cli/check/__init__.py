"""`mono_depth check`: what is wrong with the running graph, and what to do about it."""
