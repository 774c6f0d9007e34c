"""`mono_depth estimate`: depth of pictures, videos and bags."""
