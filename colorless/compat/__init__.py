"""The private and undocumented names of other packages, one file a package."""
