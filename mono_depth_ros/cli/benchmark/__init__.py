"""`mono_depth benchmark`: how fast networks are on this machine, and which to take."""
