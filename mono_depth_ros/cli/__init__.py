"""Command line; whatever a command cannot do is a `MonoDepthError`, which `main` prints."""
