"""Scale: measurements and their sources, fits, and the alignment over time."""
