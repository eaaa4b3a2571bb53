"""A report as a list of blocks, and the two ways to write them: Markdown and HTML."""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

STYLE = Path(__file__).with_name("report.css")


@dataclass(frozen=True)
class Heading:
    """A section's title; `tag` is a word beside it, such as a verdict."""

    text: str
    level: int = 2
    tag: str = ""


@dataclass(frozen=True)
class Paragraph:
    """Text in which `code`, **strong** and *marked* are all the markup there is."""

    text: str


@dataclass(frozen=True)
class Points:
    """A list of short sentences."""

    items: Sequence[str]


@dataclass(frozen=True)
class Table:
    """Rows of text. `shade` says how close each cell is to the best, from 0 to 1."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    shade: Sequence[Sequence[float | None]] = ()


@dataclass(frozen=True)
class Picture:
    """An SVG, and what it shows in words."""

    svg: str
    name: str
    caption: str


Block = Heading | Paragraph | Points | Table | Picture


def markdown(blocks: Sequence[Block], folder: Path) -> str:
    """The report as Markdown; pictures become files beside it."""
    return "\n\n".join(_markdown(block, folder) for block in blocks) + "\n"


def _markdown(block: Block, folder: Path) -> str:
    match block:
        case Heading(text, level, tag):
            return f"{'#' * level} {text}" + (f": {tag}" if tag else "")
        case Paragraph(text):
            return text
        case Points(items):
            return "\n".join(f"- {item}" for item in items)
        case Table(head, rows, _):
            return table(head, rows)
        case Picture(svg, name, caption):
            (folder / f"{name}.svg").write_text(svg)
            return f"![{caption}]({name}.svg)"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, numbers to the right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def page(title: str, blocks: Sequence[Block]) -> str:
    """The report as one HTML file that needs nothing else."""
    body = "\n".join(_html(block) for block in blocks)
    return (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>\n{STYLE.read_text()}</style>\n"
        f"<main>\n{body}\n</main>\n</html>\n"
    )


def _html(block: Block) -> str:
    match block:
        case Heading(text, level, tag):
            mark = f' <span class="tag">{_inline(tag)}</span>' if tag else ""
            return f"<h{level}>{_inline(text)}{mark}</h{level}>"
        case Paragraph(text):
            return f"<p>{_inline(text)}</p>"
        case Points(items):
            return f"<ul>{''.join(f'<li>{_inline(item)}</li>' for item in items)}</ul>"
        case Table():
            return _html_table(block)
        case Picture(svg, _, caption):
            return f"<figure>{svg}<figcaption>{_inline(caption)}</figcaption></figure>"


def _html_table(block: Table) -> str:
    head = "".join(f"<th>{_inline(text)}</th>" for text in block.head)
    body = []
    for number, row in enumerate(block.rows):
        shades = block.shade[number] if block.shade else [None] * len(row)
        cells = [
            f"<td{_tint(part)}>{_inline(text)}</td>" for text, part in zip(row, shades, strict=True)
        ]
        body.append(f"<tr>{''.join(cells)}</tr>")
    return f'<div class="wide"><table><tr>{head}</tr>{"".join(body)}</table></div>'


def _tint(part: float | None) -> str:
    """The better, the stronger."""
    if part is None:
        return ""
    return f' style="background: rgba(42, 127, 158, {0.04 + 0.34 * part * part:.2f})"'


def _inline(text: str) -> str:
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text, quote=False))
    text = re.sub(r"\*\*([^*]+)\*\*", r"<b>\1</b>", text)
    return re.sub(r"\*([^*]+)\*", r"<mark>\1</mark>", text)
