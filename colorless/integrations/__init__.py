"""What serves one framework or protocol each: optional, and entered only by who uses it."""
