"""Small measurements of single parts, as ratios of one run."""
