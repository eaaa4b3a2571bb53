"""Private and undocumented names of other packages: each stands here, once, and why."""
