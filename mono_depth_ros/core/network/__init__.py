"""Networks: what predicts depth from an image, its settings and its weights."""
