"""Model cards: Markdown whose lines are no wider than a page."""
import re
import textwrap

PAGE = 140

# Headings, tables and indented code stay as they are.
KEPT = re.compile(r"#|\||    ")


def wrap(text):
    """The card with every paragraph and list item filled anew where a line of it is too wide."""
    filled = []
    for block in re.split(r"(\n\n|\n(?=- ))", text):
        if KEPT.match(block) or all(len(line) <= PAGE for line in block.split("\n")):
            filled.append(block)
            continue
        indent = "  " if block.startswith("- ") else ""
        end = "\n" if block.endswith("\n") else ""
        filled.append(textwrap.fill(
            " ".join(block.split()), PAGE, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False) + end)
    return "".join(filled)
