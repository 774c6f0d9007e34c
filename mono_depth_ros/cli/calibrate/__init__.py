"""`mono_depth calibrate`: the scale of a network for one camera, as parameters of the node."""
