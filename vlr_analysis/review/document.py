"""Short texts as an editable document (docx) and as plain text (Markdown), from the same blocks."""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from vlr_analysis.review.bundle import timeless

# Letters that no space parts into words: each counts as one.
_WITHOUT_SPACES = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uac00-\ud7af]")
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BOLD = re.compile(r"(?:\*\*(.+?)\*\*)?(.*)", re.S)
_MARKS = re.compile(r"([\\`*_{}\[\]<>#|])")


@dataclass(frozen=True)
class Block:
    """One paragraph.

    Attributes
    ----------
    kind : 'title', 'heading', 'text', 'item', 'picture', 'note' or 'table'
    text : str
        The words; of a picture its alternative text.
    strong : str
        What stands in front in bold.
    cells : tuple of tuple of str
        Rows of a table, the first one its header.
    """

    kind: Literal["title", "heading", "text", "item", "picture", "note", "table"]
    text: str
    strong: str = ""
    cells: tuple[tuple[str, ...], ...] = ()

    @property
    def words(self) -> str:
        """All words of the block."""
        cells = " ".join(cell for row in self.cells for cell in row)
        return " ".join(part for part in (self.strong, self.text, cells) if part)


def count_words(blocks: Sequence[Block]) -> int:
    """Count what spaces part, and every letter of scripts that write without spaces."""
    text = " ".join(block.words for block in blocks)
    return len(_WITHOUT_SPACES.sub(" ", text).split()) + len(_WITHOUT_SPACES.findall(text))


def markdown(blocks: Sequence[Block], picture: str = "") -> str:
    """Return blocks as Markdown; letters that Markdown would take for marks are kept as letters."""
    written = []
    for block in blocks:
        text, strong = _MARKS.sub(r"\\\1", block.text), _MARKS.sub(r"\\\1", block.strong)
        front = {"title": "# ", "heading": "## ", "item": "- "}.get(block.kind, "")
        body = f"**{strong}** {text}".strip() if strong else text
        if block.kind == "picture":
            body = f"![{text}]({picture})"
        elif block.kind in ("text", "note"):
            body = re.sub(r"^(\d*)([-+.]) ", r"\1\\\2 ", body)
        written.append(front + body)
    return "\n\n".join(written) + "\n"


def plain(text: str) -> str:
    """Return Markdown of `markdown` without its marks: the words alone, for a count or a comparison."""
    return _words(re.sub(r"^(#+ |- |!\[)|\]\([^)]*\)$|(?<!\\)\*\*", "", text, flags=re.M))


def docx(blocks: Sequence[Block], *, title: str, author: str, language: str = "en", picture: bytes = b"") -> bytes:
    """Return blocks as a Word document: real headings, the picture with its alternative text, no time of making.

    Parameters
    ----------
    blocks : sequence of Block
    title, author, language : str
        For the properties of the document; `language` is a BCP 47 tag.
    picture : bytes
        PNG; left out where no block is a picture.
    """
    from docx import Document
    from docx.enum.style import WD_STYLE_TYPE
    from docx.oxml.ns import qn
    from docx.shared import Cm, Pt

    made = Document()
    made.core_properties.title, made.core_properties.author = _clean(title), _clean(author)
    made.core_properties.language, made.core_properties.comments = language, ""
    for lang in made.styles.element.iter(qn("w:lang")):
        lang.set(qn("w:val"), language)
    note = made.styles.add_style("Box note", WD_STYLE_TYPE.PARAGRAPH)
    note.base_style, note.font.size = made.styles["Normal"], Pt(9)
    styles = {"title": "Heading 1", "heading": "Heading 2", "item": "List Bullet", "note": "Box note"}
    for block in blocks:
        if block.kind == "table":
            _add_table(made, block.cells)
            continue
        paragraph = made.add_paragraph(style=styles.get(block.kind, "Normal"))
        if block.kind == "picture":
            shape = paragraph.add_run().add_picture(io.BytesIO(picture), width=Cm(13))
            shape._inline.docPr.set("descr", _clean(block.text))
            continue
        for text, bold in ((block.strong, True), (f" {block.text}" if block.strong else block.text, None)):
            if text.strip():
                run = paragraph.add_run(_clean(text))
                run.bold = bold
                run.font.rtl = True if _is_rtl(text) else None
        if _is_rtl(block.words):
            paragraph._p.get_or_add_pPr().append(paragraph._p.makeelement(qn("w:bidi"), {}))
    buffer = io.BytesIO()
    made.save(buffer)
    return timeless(buffer.getvalue())


def _add_table(made, rows: Sequence[Sequence[str]]) -> None:
    """Add a table with lines; its header row is repeated on every page."""
    from docx.oxml.ns import qn
    from docx.shared import Pt

    table = made.add_table(len(rows), len(rows[0]), style="Table Grid")
    for row, texts in zip(table.rows, rows, strict=True):
        for cell, text in zip(row.cells, texts, strict=True):
            run = cell.paragraphs[0].add_run(_clean(text))
            run.font.size, run.bold = Pt(8), texts is rows[0] or None
            run.font.rtl = True if _is_rtl(text) else None
    head = table.rows[0]._tr.get_or_add_trPr()
    head.append(head.makeelement(qn("w:tblHeader"), {}))


def _clean(text: str) -> str:
    """Leave out what no XML file may hold."""
    return _NOT_XML.sub("\ufffd", text)


def _is_rtl(text: str) -> bool:
    """Return whether the first letter with a direction is written from right to left."""
    for letter in text:
        direction = unicodedata.bidirectional(letter)
        if direction in ("L", "R", "AL"):
            return direction != "L"
    return False


def from_markdown(text: str) -> list[Block]:
    """Return the blocks of a plain Markdown text.

    Headings, list items, paragraphs, bold words at the beginning of one, and tables are read; a rule parts what it
    parts; other marks stay as they are.
    """
    blocks = []
    for part in re.split(r"\n\s*\n|\n(?=[-*#] )", text.replace("\r\n", "\n").strip()):
        line = " ".join(part.split())
        if not line or re.fullmatch(r"-{3,}|\*{3,}", line):
            continue
        if line.startswith("|"):
            blocks.append(Block("table", "", cells=_cells(part)))
        elif line.startswith("#"):
            blocks.append(Block("heading" if blocks else "title", _words(line.lstrip("# "))))
        else:
            kind = "item" if line.startswith(("- ", "* ")) else "text"
            strong, rest = _BOLD.fullmatch(line[2:] if kind == "item" else line).groups()
            blocks.append(Block(kind, _words(rest.strip()), _words(strong or "")))
    return blocks


def _cells(part: str) -> tuple[tuple[str, ...], ...]:
    """Return the rows of a Markdown table, all as wide as the widest."""
    lines = [line.strip().strip("|") for line in part.splitlines() if line.strip()]
    rows = [[_words(cell.strip()) for cell in re.split(r"(?<!\\)\|", line)] for line in lines]
    rows = [row for row in rows if not all(re.fullmatch(r":?-+:?", cell) for cell in row)]
    width = max(map(len, rows))
    return tuple((*row, *[""] * (width - len(row))) for row in rows)


def _words(text: str) -> str:
    return re.sub(r"\\([^\w\s])", r"\1", text)
