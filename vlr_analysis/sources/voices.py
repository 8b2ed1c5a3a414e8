"""The register of evidence from residents: one CSV file or one sheet of a workbook, checked cell by cell."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from vlr_analysis import catalogue
from vlr_analysis.errors import Problem, raise_if_any
from vlr_analysis.periods import parse_period
from vlr_analysis.sources.figure_texts import unit_of_words
from vlr_analysis.sources.voices_sheet import Grid, Unreadable, read_grid

COLUMNS = (
    "evidence", "kind", "title", "organiser", "period", "place", "participants", "population", "chosen", "groups",
    "consent", "theme", "target", "indicator", "series", "unit", "says", "count", "quotation", "source", "note",
)  # fmt: skip
NUMBERS = ("participants", "population", "count")
# Columns that no row may leave empty, and what belongs there.
FILLED = {
    "evidence": "an id, such as survey-2024", "kind": "what it was", "title": "a title", "organiser": "who did it",
    "period": "when it was", "participants": "how many took part", "chosen": "how they were chosen",
    "consent": "what they agreed to", "theme": "a theme", "target": "an SDG target", "says": "a statement",
    "source": "an id of the sources table",
}  # fmt: skip
WORDS = {
    "kind": ("workshop", "poll", "complaint log", "citizen data", "interviews"),
    "chosen": ("random sample", "quota", "invited", "open call", "register"),
    "consent": ("given", "anonymous", "none"),
    "says": ("improves", "worsens", "unchanged", "concern", "satisfied"),
}
# Words that people write and that are too unlike ours to be found by their letters.
MEANT = {
    "survey": "poll", "questionnaire": "poll", "focus group": "workshop", "complaints": "complaint log",
    "self-selected": "open call", "self selected": "open call", "voluntary": "open call", "random": "random sample",
    "yes": "given", "no": "none", "better": "improves", "worse": "worsens", "same": "unchanged",
    "taller": "workshop", "atelier": "workshop", "encuesta": "poll", "sondeo": "poll", "sondage": "poll",
    "enquête": "poll", "quejas": "complaint log", "plaintes": "complaint log", "entrevistas": "interviews",
    "entretiens": "interviews", "datos ciudadanos": "citizen data", "données citoyennes": "citizen data",
    "muestra aleatoria": "random sample", "aleatoria": "random sample", "aléatoire": "random sample",
    "échantillon aléatoire": "random sample", "cuota": "quota", "cuotas": "quota", "invitados": "invited",
    "invités": "invited", "convocatoria abierta": "open call", "appel ouvert": "open call", "registro": "register",
    "registre": "register", "dado": "given", "otorgado": "given", "donné": "given", "anónimo": "anonymous",
    "anonyme": "anonymous", "ninguno": "none", "aucun": "none", "mejora": "improves", "améliore": "improves",
    "empeora": "worsens", "empire": "worsens", "sin cambios": "unchanged", "inchangé": "unchanged",
    "preocupación": "concern", "préoccupation": "concern", "inquiétude": "concern", "satisfecho": "satisfied",
    "satisfait": "satisfied",
}  # fmt: skip
# What has to be the same in all rows of a piece of evidence, of one of its places, of one of its themes.
ALIKE = {
    ("evidence",): ("kind", "title", "organiser", "period", "chosen", "groups", "consent", "source"),
    ("evidence", "place"): ("participants", "population"),
    ("evidence", "theme"): ("target", "indicator", "series", "unit"),
}


def empty() -> pd.DataFrame:
    """Return a register without rows, with the columns and types of `read_voices`."""
    columns = (*COLUMNS, "participants_status", "count_status")
    return pd.DataFrame({name: pd.Series(dtype=float if name in NUMBERS else object) for name in columns})


def read_voices(path: Path | str, *, sources: Collection[str] | None = None) -> pd.DataFrame:
    """Read and check a register of evidence: workshops, polls, complaint logs, citizen data, interviews.

    Parameters
    ----------
    path : Path or str
        ``.csv`` (UTF-8, comma or semicolon) or ``.xlsx`` (the sheet ``voices``, or the only sheet; values only).
        One row for each statement on a theme in a piece of evidence.
    sources : collection of str, optional
        Known ids of the sources table; left out, the column `source` is not looked up.

    Returns
    -------
    DataFrame, one row per (evidence, theme, place, says), in the order of the file
        `evidence` (id), `kind`, `title`, `organiser`, `period` (ISO 8601), `place` (a breakdown, empty for the whole
        area), `participants` (people who took part, there), `population` (people who could have: drawn, invited,
        or reached), `chosen`, `groups` (who is among them), `consent`, `theme`, `target`, `indicator`, `series`,
        `unit` (the figure that the theme speaks of), `says`, `count` (people who said so), `quotation`, `source`,
        `note`; `participants_status` and `count_status`: value, missing (an empty cell), suppressed (``<5`` or ``*``).
        Numbers are NaN exactly where the status is not *value*. `attrs["repaired"]` lists what was repaired.

    Raises
    ------
    InputError
        With every problem at once, each with file and row or cell.

    Notes
    -----
    Repaired: byte-order mark, semicolons, empty rows and columns, capitals in code words, order of the pairs of a
    place, composed letters, ``40.0``, ``40,0`` and ``1 234``. Refused: ``1.234`` and ``1,234``, of which
    nobody can say whether they mean a thousand; formulas, shares, dates where a code should stand.
    """
    path = Path(path)
    grid = read_grid(path, COLUMNS, (*FILLED, "count"))
    if not grid.rows:
        return empty()
    table = grid.texts(COLUMNS, {"target": _targets()})
    if path.suffix.casefold() == ".xlsx":
        table["unit"] = table["unit"].map(unit_of_words)  # as on the sheet of figures
    _check_texts(grid, table, sources)
    _read_numbers(grid, table)
    raise_if_any(path.name, [*grid.problems, *_row_rules(grid, table), *_evidence_rules(grid, table)])
    register = table.reindex(columns=empty().columns).astype(empty().dtypes)
    repaired = sorted((+grid.repaired).items())
    register.attrs["repaired"] = tuple(f"{what} ({times})" if times > 1 else what for what, times in repaired)
    return register


# --- texts ----------------------------------------------------------------------------------------


def _check_texts(grid: Grid, table: pd.DataFrame, sources: Collection[str] | None) -> None:
    """Check every text on its own, and write what was repaired into the table."""
    for column in FILLED:
        for i in table.index[table[column] == ""]:
            if (i, column) not in grid.faulty:
                fix = "fill the cell in every row; merged cells hold their text in the first row only"
                grid.tell(i, column, Unreadable("nothing", FILLED[column], fix))
    tests = dict.fromkeys(WORDS, _word) | {"period": _period, "place": _place, "target": _target}
    if sources is not None:
        tests["source"] = lambda text, _: _one_of(text, list(sources), "an id of the sources table", "add it there")
    for column, test in tests.items():
        texts = table[column].tolist()
        for i, text in enumerate(texts):
            if text and (i, column) not in grid.faulty:
                read = test(text, column)
                if isinstance(read, Unreadable):
                    grid.tell(i, column, read)
                grid.repaired[f"{column} spelt as the kit does"] += isinstance(read, str) and read != text
                texts[i] = "" if isinstance(read, Unreadable) else read
        table[column] = texts


def _one_of(text: str, known: Collection[str], expected: str, fix: str) -> str | Unreadable:
    if text in known:
        return text
    near = [MEANT[text]] if MEANT.get(text) in known else get_close_matches(text, known, n=1, cutoff=0.6)
    return Unreadable(repr(text), expected, f"did you mean {near[0]!r}?" if near else fix)


def _word(text: str, column: str) -> str | Unreadable:
    plain = " ".join(text.casefold().replace("_", " ").split())
    return _one_of(plain, WORDS[column], f"one of {', '.join(WORDS[column])}", "choose the word that fits")


@lru_cache(maxsize=1)
def _targets() -> frozenset[str]:
    return frozenset(catalogue.targets()["target"])


def _target(text: str, _: str) -> str | Unreadable:
    known = _targets()
    plain = text.replace(",", ".").casefold()
    if text in known:
        return text
    above = plain.rpartition(".")[0]
    fix = "write the nearest of the 169 targets"
    if plain in known:
        fix = f"did you mean {plain!r}?"
    elif above in known:
        fix = f"write {above!r} here, and the indicator in its own column"
    return Unreadable(repr(text), "an SDG target that exists, such as 11.2", fix)


def _period(text: str, _: str) -> str | Unreadable:
    try:
        parse_period(text)
    except ValueError:
        fix = "write 2024, 2024-Q2, 2024-05, 2024-05-14, or a start and a length such as 2024-03-01/P3M"
        return Unreadable(repr(text), "an ISO 8601 period", fix)
    return text


def _place(text: str, _: str) -> str | Unreadable:
    pairs = sorted(tuple(part.strip() for part in pair.split("=")) for pair in text.split(";") if pair.strip())
    if not all(len(pair) == 2 and all(pair) for pair in pairs) or len({pair[0] for pair in pairs}) < len(pairs):
        example = "district=Centro" if "=" in text else f"district={text}"
        expected = "a breakdown as in the figures, or nothing for the whole area"
        return Unreadable(repr(text), expected, f"write the dimension and the category, such as {example}")
    return ";".join("=".join(pair) for pair in pairs)


# --- numbers of people ----------------------------------------------------------------------------

_PEOPLE = "a whole number of people"
_GROUPED = re.compile(r"\d{1,3}([.,'’]\d{3})+")
_SPACED = re.compile(r"\d{1,3}([ \u00a0\u202f]\d{3})+")
DIGITS = 10  # no more people live on Earth
_SECRET = re.compile(r"<\s*\d+|\*+")


def _read_numbers(grid: Grid, table: pd.DataFrame) -> None:
    """Turn the columns of numbers into floats, each with its status."""
    for column in NUMBERS:
        values, states = np.full(len(table), np.nan), np.full(len(table), "missing", dtype=object)
        for i, text in table[column].items():
            read = _people(text)
            if isinstance(read, Unreadable):
                grid.tell(i, column, read)
            elif np.isfinite(read):
                values[i], states[i] = read, "value"
                grid.repaired[f"{column} without decimals or spaces"] += not text.isdecimal()
            elif text:
                states[i] = "suppressed"
        table[column], table[f"{column}_status"] = values, states


def _people(text: str) -> float | Unreadable:
    """Read a number of people; NaN where none is given."""
    if not text or _SECRET.fullmatch(text):
        return np.nan
    if sum(map(str.isdecimal, text)) > DIGITS:
        found = text if len(text) <= 20 else f"{text[:20]}..."
        return Unreadable(repr(found), f"{_PEOPLE}, of at most {DIGITS} digits", "correct the number")
    if text.isdecimal():
        return float(int(text))
    if _SPACED.fullmatch(text):
        return float("".join(re.findall(r"\d", text)))
    if re.fullmatch(r"\d+[.,]0{1,2}", text):
        return float(re.split("[.,]", text)[0])
    if _GROUPED.fullmatch(text):
        digits = "".join(re.findall(r"\d", text))
        fix = f"write {digits} if that is meant: the mark can stand for thousands or for decimals"
        return Unreadable(repr(text), f"{_PEOPLE}, without a mark inside", fix)
    if text.startswith(("-", "−")):
        return Unreadable(repr(text), f"{_PEOPLE}, zero or more", "correct the number")
    if "%" in text or re.fullmatch(r"\d*[.,]\d+", text):
        return Unreadable(repr(text), f"{_PEOPLE}, not a share or a mean", "write how many people it were")
    return Unreadable(repr(text), f"{_PEOPLE}, <5 where it is kept secret, or nothing", "write digits alone")


# --- what cells say together ----------------------------------------------------------------------


def _row_rules(grid: Grid, table: pd.DataFrame) -> Iterator[Problem]:
    """Yield what is impossible within a row."""
    people, could, count = (table[name] for name in NUMBERS)
    for i in table.index[count > people]:
        found = f"{count[i]:.0f} of {people[i]:.0f} participants"
        yield Problem(grid.where(i, "count"), found, "no more people than took part", "correct one of the two")
    for i in table.index[people > could]:
        found = f"{people[i]:.0f} participants of a population of {could[i]:.0f}"
        fix = "population is how many could have taken part: correct it, or leave it empty"
        yield Problem(grid.where(i, "participants"), found, "no more people than could take part", fix)
    for i in table.index[(table["quotation"] != "") & (table["consent"] == "none")]:
        fix = "remove the quotation, or state the consent that was given"
        yield Problem(grid.where(i, "quotation"), "words of a person, consent none", "consent to quote", fix)
    for i in table.index[(table["series"] != "") & ((table["indicator"] == "") | (table["unit"] == ""))]:
        fix = "copy indicator, series and unit from the data file, or leave the series empty"
        yield Problem(grid.where(i, "series"), "a series without indicator or unit", "all three", fix)


def _evidence_rules(grid: Grid, table: pd.DataFrame) -> Iterator[Problem]:
    """Yield what rows of the same evidence say against each other."""
    known = table[table["evidence"] != ""]
    for keys, columns in ALIKE.items():
        by = known.groupby(list(keys), sort=False)
        for column in columns:
            for key, rows in known[by[column].transform("nunique", dropna=False) > 1].groupby(list(keys), sort=False):
                yield from _told_apart(grid, rows, column, keys[-1], " / ".join(part for part in key if part))
    once = ["evidence", "theme", "place", "says"]
    for key, rows in known[known.duplicated(once, keep=False)].groupby(once, sort=False):
        found = f"{' / '.join(part for part in key if part)} {len(rows)} times"
        yield Problem(grid.where(list(rows.index)), found, "each statement on a theme once", "join the rows")
    answered = known.groupby(once[:3], sort=False)["count"].transform("sum")
    for (evidence, theme, _), rows in known[answered > known["participants"]].groupby(once[:3], sort=False):
        total, people = rows["count"].sum(), rows["participants"].max()
        if (rows["count"].dropna() <= people).all():
            parts = " + ".join(f"{count:.0f}" for count in rows["count"].dropna())
            found = f"{parts} = {total:.0f} people on {theme!r} in {evidence!r}"
            expected = f"at most the {people:.0f} who took part: each person says one thing on a theme"
            fix = "correct the counts, or make a theme of each answer where a person could give several"
            yield Problem(grid.where(list(rows.index), "count"), found, expected, fix)
    yield from _beyond_the_whole(grid, known)


def _told_apart(grid: Grid, rows: pd.DataFrame, column: str, level: str, subject: str) -> Iterator[Problem]:
    """Yield the rows in which a column differs that has to be the same in all of them."""
    rows = rows[[(i, column) not in grid.faulty for i in rows.index]]
    first = rows[~rows[column].duplicated()]
    if len(first) > 1:
        said = [f"{value:.0f}" if isinstance(value, float) else repr(value) for value in first[column]]
        found = f"{' and '.join(said)} for {subject}".replace("nan", "nothing").replace("''", "nothing")
        fix = f"make them equal, or give the other rows {'an' if level == 'evidence' else 'a'} {level} of their own"
        yield Problem(grid.where(list(first.index), column), found, f"one {column}", fix)


def _beyond_the_whole(grid: Grid, table: pd.DataFrame) -> Iterator[Problem]:
    """Yield where the places of one dimension hold more people than the whole that they are parts of."""
    table = table[table["evidence"].isin(table.loc[table["place"] != "", "evidence"])]
    table = table.assign(dimension=table["place"].str.replace(r"=[^;]*", "", regex=True))
    for column, key in (("participants", ["evidence"]), ("count", ["evidence", "theme", "says"])):
        for _, rows in table.drop_duplicates([*key, "place"]).groupby(key, sort=False):
            whole = rows.loc[rows["place"] == "", column]
            for dimension, parts in rows[rows["place"] != ""].groupby("dimension", sort=False):
                if len(whole) and parts[column].sum() > whole.iloc[0]:
                    found = f"{parts[column].sum():.0f} by {dimension.replace(';', ' and ')}"
                    expected = f"at most the {whole.iloc[0]:.0f} of the whole area"
                    yield Problem(grid.where(list(parts.index), column), found, expected, "correct the numbers")
