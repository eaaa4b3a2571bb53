"""Numbers as the report writes them."""


def rate(value: float) -> str:
    """Requests per second, to two or three figures that noise does not make up."""
    return f"{value:,.0f}" if value < 1000 else f"{round(value, -1):,.0f}"


def ms(value: float) -> str:
    """Milliseconds."""
    if value >= 100:
        return f"{value:,.0f} ms"
    return f"{value:.0f} ms" if value >= 10 else f"{value:.1f} ms"


def times(ratio: float) -> str:
    """A ratio, such as 2.1 ×."""
    return f"{ratio:.0f} ×" if ratio >= 10 else f"{ratio:.1f} ×"


def listed(parts: list[str]) -> str:
    """a, b and c."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)
