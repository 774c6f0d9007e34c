"""The command line `mono_depth`."""
