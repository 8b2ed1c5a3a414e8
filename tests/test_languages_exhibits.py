"""Figures, tables and prose in another language: no English of the kit's own is left, and data stay as they are."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest
from babel.messages.pofile import read_po, write_po
from matplotlib.text import Text

from vlr_analysis import drawing, exhibits, figures, language
from vlr_analysis.review import prose

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def made_up(tmp_path, monkeypatch):
    """Use a catalogue with every message in brackets, under the tag of a language with decimal commas."""
    with (language.LOCALE / "vlr.pot").open("rb") as file:
        catalogue = read_po(file, locale="es")
    for message in catalogue:
        if message.id:
            ids = message.id if isinstance(message.id, tuple) else (message.id,)
            told = tuple(f"⟦{text}⟧" for text in ids)
            forms = (told[0], *[told[-1]] * (catalogue.num_plurals - 1))
            message.string = forms if isinstance(message.id, tuple) else told[0]
    path = tmp_path / "es" / "LC_MESSAGES" / "vlr.po"
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        write_po(file, catalogue)
    monkeypatch.setattr(language, "LOCALE", tmp_path)
    with language.using("es"):
        yield


def english(text):
    """Return the words of a text that stand outside all brackets."""
    while "⟦" in text:
        text, before = re.sub("⟦[^⟦⟧]*⟧", "", text), text
        if text == before:
            break
    return re.findall("[A-Za-z]{3,}", re.sub("<[^>]*>|[⟦⟧]", " ", text))


ROWS = pd.DataFrame({
    "label": ["Á"], "verdict": ["no clear trend"], "q": [0.25], "breakdown": ["sex=female"],
    "unit": ["deaths per 100,000"], "level": [1234.5],
})  # fmt: skip
CAPTION = "Change per year of every headline series, with Sen's 95 % interval."


def test_a_table_is_told_whole_and_its_data_stay(made_up):
    shown = exhibits.table(ROWS, "trends", CAPTION, "label verdict q breakdown unit level")
    assert english(shown.caption) == []
    cells = re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", shown.html)
    assert [words for cell in cells for words in english(cell)] == []
    assert "0,250" in cells
    with language.using("en"):
        assert exhibits.table(ROWS, "trends", CAPTION, "label verdict q breakdown unit level").csv() == shown.csv()


def test_every_text_of_a_chart_is_told(made_up, monkeypatch):
    seen = []
    arrange = drawing.margins.arrange
    monkeypatch.setattr(drawing.margins, "arrange", lambda figure: (arrange(figure), seen.append(figure)))
    verdicts = ["recovered", "not yet", "cannot tell"]
    covid = pd.DataFrame({"breakdown": "", "level_verdict": verdicts, "path_verdict": verdicts[::-1]})
    chart = figures.overview(covid, pd.DataFrame())
    assert english(chart.caption) + english(chart.alt) == []
    texts = [text.get_text() for text in seen[0].findobj(Text)]
    assert any("⟦" in text for text in texts)
    assert [words for text in texts for words in english(text)] == []
    with language.using("en"):
        assert figures.overview(covid, pd.DataFrame()).csv() == chart.csv()


def notebook_prose():
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "markdown" and "help" not in cell["metadata"].get("tags", []):
                yield "".join(cell["source"])


def test_prose_of_every_notebook_is_told(made_up):
    for text in notebook_prose():
        assert english(prose.translated(text)) == [], text


def test_english_prose_stays_and_blocks_lose_no_word():
    for text in notebook_prose():
        assert prose.translated(text) == text
        whole = "".join(f"{before}{words}\n" for before, words in prose.blocks(text))
        assert whole.split() == text.split()


def test_blocks_keep_code_and_tables_whole():
    text = "# Head\nOne\ntwo\n\n- item\n  more\n\n```\ncode here\n```\n\n| a | b |\n"
    assert prose.messages(text) == ["Head", "One two", "item more"]
