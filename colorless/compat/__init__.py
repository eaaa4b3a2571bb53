"""Private names of other packages, one file a package: what we need each for."""
