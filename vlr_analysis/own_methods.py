"""Methods of the project run on a city: what they are given, what they may return, and the findings made of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from vlr_analysis import observations
from vlr_analysis.errors import Problem
from vlr_analysis.exhibits import Exhibit, alike, table
from vlr_analysis.findings import KEY, Finding, make, selector, with_grades
from vlr_analysis.grades import LEAST_POINTS, LETTERS, MOST_AGE
from vlr_analysis.language import coded, retold
from vlr_analysis.language import told as say
from vlr_analysis.method_files import (
    OF_CITY,
    Method,
    MethodError,
    error_in_words,
    failed,
    load_function,
    read_method,
    read_methods,
)
from vlr_analysis.method_results import NUMBERS, PERIODS, SERIES, TEXTS, checked, problems_of
from vlr_analysis.periods import parse_period, spoken, year_of
from vlr_analysis.project import find_root
from vlr_analysis.trends import UNKNOWN, yearly
from vlr_analysis.words import group

if TYPE_CHECKING:
    from vlr_analysis.cities import City

DEFINED = ("label", "goal", "direction", "target", "target_year")
GIVEN = (*observations.COLUMNS, "year", *DEFINED)


@dataclass(frozen=True)
class Own:
    """What a method of the project says of a city.

    Attributes
    ----------
    method : Method
    table : DataFrame
        Its result, checked: one row a series. Without rows where it failed.
    findings : tuple of Finding
        One for each row with a verdict other than *cannot tell*.
    failed : str
        What went wrong; empty where it ran.
    """

    method: Method
    table: pd.DataFrame
    findings: tuple[Finding, ...] = ()
    failed: str = ""


def run_methods(city: City, grades: pd.DataFrame) -> list[Own]:
    """Run every method of the project on a city.

    Parameters
    ----------
    city : City
        Its figures as this build shows them: what is hidden is hidden from a method too.
    grades : DataFrame
        From `grades.series_grades`.

    Returns
    -------
    list of Own
        By name of the method. One that fails says so in `failed`, and the others go on.

    Raises
    ------
    InputError
        With every problem of the YAML files.
    """
    of_city = {name: getattr(city, name) for name in OF_CITY}
    found = []
    for method in read_methods(city.root):
        rows = given(city.observations, city.definitions, method)
        try:
            result = results(method, rows, method.settings | of_city, city.root)
            told = tuple(findings_of(method, result, rows, city.definitions, grades, city.reference_year))
            found.append(Own(method, result, told))
        except MethodError as error:
            found.append(Own(method, checked(method, pd.DataFrame(), rows), failed=f"{city.id}, {error}"))
        except Exception as error:
            # No check foresees everything: what else goes wrong with its table stays with the method too.
            said = _nothing_can_be_told(method, error)
            found.append(Own(method, checked(method, pd.DataFrame(), rows), failed=f"{city.id}, {said}"))
    return found


def given(table: pd.DataFrame, definitions: pd.DataFrame, method: Method) -> pd.DataFrame:
    """Return the table that the function of a method gets.

    Parameters
    ----------
    table : DataFrame
        Observations of one city.
    definitions : DataFrame
        `DEFINED` by (indicator, series, unit).
    method : Method

    Returns
    -------
    DataFrame, one row a value, sorted by series and time
        Columns `GIVEN`: those of the one table (`value` without NaN; `low`, `high` NaN where there is no interval);
        `year`, the middle of the period as a decimal year; `label`; `goal` (0: none); `direction` (increase, decrease,
        or empty where none is stated); `target` and `target_year`, NaN where there is none. With `needs.yearly` one
        value a year, as `trends.yearly` makes it: means of complete years, nothing from before a break.
    """
    rows = table if method.needs.groups else table[table["breakdown"] == ""]
    if method.needs.indicators:
        rows = rows[rows["indicator"].isin(method.needs.indicators)]
    if method.needs.yearly:
        series = yearly(rows)
        names = ["area", *SERIES, "source"]
        keys = series.keys[names].take(series.points["row"]).reset_index(drop=True)
        rows = pd.concat([keys, series.points.reset_index(drop=True)], axis=1).rename(columns={"t": "year"})
    else:
        rows = rows[rows["value"].notna()]
        rows = rows.assign(year=rows["period"].map(lambda text: parse_period(text).midpoint).astype(float))
    known = definitions.reindex(columns=[*KEY, *DEFINED]).drop_duplicates(KEY)
    rows = rows.merge(known, on=KEY, how="left").sort_values([*SERIES, "year"], kind="stable")
    return rows[list(GIVEN)].reset_index(drop=True)


def results(method: Method, rows: pd.DataFrame, settings: Mapping[str, Any], root: Path) -> pd.DataFrame:
    """Call the function of a method and check what it returns; where it has nothing to read it is not called.

    Parameters
    ----------
    method : Method
    rows : DataFrame
        From `given`; the function gets a copy.
    settings : mapping
        Of the YAML file, and of the city: `method_files.OF_CITY`.
    root : Path
        Folder of the project.

    Returns
    -------
    DataFrame, one row a series
        `area`, `SERIES`, `first` and `last` (periods; left out by the function, the ends of the series), `NUMBERS`,
        `TEXTS` and the columns that the YAML file names.

    Raises
    ------
    MethodError
        The function failed, or returned something else; every problem of its table at once.
    """
    function = load_function(method, root)
    if not len(rows):
        return checked(method, pd.DataFrame(), rows)
    try:
        returned = function(rows.copy(), dict(settings))
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise failed(method, root, error) from error
    problems = list(problems_of(method, returned, rows))
    if problems:
        head = f"method {method.name}, {method.where}: {len(problems)} problem{'s'[: len(problems) > 1]}"
        raise MethodError("\n".join([f"{head} of the table that it returns", *(f"- {one}" for one in problems)]))
    return checked(method, returned, rows)


def _nothing_can_be_told(method: Method, error: Exception) -> MethodError:
    where = f"{method.where}, what {method.name} returns"
    problem = Problem(where, f"a table of which nothing can be told ({error_in_words(error)})",
                      "numbers, texts and periods as docs/how-to/add-indicator-or-method.md names them",
                      "return a table of the form that is shown there")  # fmt: skip
    return MethodError(f"method {method.name}, {method.where}: 1 problem of the table that it returns\n- {problem}")


# --- findings ------------------------------------------------------------------------------------


def findings_of(
    method: Method,
    result: pd.DataFrame,
    rows: pd.DataFrame,
    definitions: pd.DataFrame,
    grades: pd.DataFrame,
    as_of: int,
) -> Iterator[Finding]:
    """Make a finding of each row with a verdict other than *cannot tell*, priorities first.

    The grade is the lowest of: that of the series; what the values between `first` and `last` allow by their number
    and age; B without an interval; the best that the YAML file allows.
    """
    told = result[~result["verdict"].isin(["", UNKNOWN])].reset_index(names="place")
    told = with_grades(told, definitions, grades).sort_values(["priority", "place"], ascending=[False, True])
    for _, row in told.iterrows():
        mine = rows[(rows[SERIES] == row[SERIES]).all(axis=1)]
        used = mine[mine["year"].between(*(parse_period(row[end]).midpoint for end in PERIODS))]
        numbers = {"method": method.name, **{name: row[name] for name in (*NUMBERS, *PERIODS, *method.columns)}}
        yield make(
            "method", row, row["verdict"], _statement(method, row), numbers, about=method.name,
            caveats=[retold(row["caveat"]) or method.limits[0]], caps=list(_caps(method, row, used, as_of)),
            evidence=[selector(row, row["first"], row["last"])],
        )  # fmt: skip


def _caps(method: Method, row: pd.Series, used: pd.DataFrame, as_of: int) -> Iterator[tuple[str, str]]:
    n, last = used["period"].map(year_of).nunique(), year_of(row["last"])
    enough = [letter for letter, least in LEAST_POINTS.items() if n >= least]
    yield enough[0] if enough else LETTERS[-1], coded("{n} yearly values", n=n) if n > 1 else coded("1 yearly value")
    young = [letter for letter, most in MOST_AGE.items() if as_of - last <= most]
    old = coded("latest value of {last}, newest year is {as_of}", last=last, as_of=as_of)
    yield young[0] if young else LETTERS[-1], old
    if np.isnan(row["low"]):
        yield "B", coded("no interval")
    yield method.grade_at_most, coded("a method of this project")


def _statement(method: Method, row: pd.Series) -> str:
    label = f"{row['label']} ({group(row['breakdown'])})" if row["breakdown"] else row["label"]
    values = {"label": label, "title": method.title, "verdict": retold(row["verdict"]),
              "first": spoken(row["first"]), "last": spoken(row["last"])}  # fmt: skip
    if np.isnan(row["result"]):
        return say("{label}: {verdict} ({title}; {first} to {last}).", **values)
    result, reach = alike(row["result"], row["low"], row["high"], method.unit)
    if np.isnan(row["low"]):
        return say("{label}: {verdict}. {title}: {result} ({first} to {last}).", result=result, **values)
    return say("{label}: {verdict}. {title}: {result} (95 % interval {interval}; {first} to {last}).",
               result=result, interval=reach, **values)  # fmt: skip


# --- for the chapter -----------------------------------------------------------------------------


def notes(own: Iterable[Own]) -> pd.DataFrame:
    """Return one row a method: title, unit, reference, limits, settings and file, as its YAML file says them."""
    columns = ["title", "unit", "reference", "limits", "settings", "file"]
    rows = [(one.method.title, one.method.unit, reference(one.method), " ".join(one.method.limits),
             settings_in_words(one.method), one.method.where) for one in own]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def in_a_row(own: Iterable[Own]) -> list[tuple[str, str, str]]:
    """Return name, text and reference of each method that has findings, as the annex of the hand-over lists methods."""
    return [
        (one.method.title, " ".join(["A method of this project.", *one.method.limits]), reference(one.method))
        for one in own
        if one.findings
    ]


def reference(method: Method) -> str:
    """Return the reference of a method with its DOI."""
    return f"{method.reference.rstrip('.')}{f', doi:{method.doi}' if method.doi else ''}"


def settings_in_words(method: Method) -> str:
    """Return the settings of a method in a row: ``values: 8, level: 0.95``."""
    listed = {name: " ".join(map(str, value)) if isinstance(value, tuple) else str(value)
              for name, value in method.settings.items()}  # fmt: skip
    return ", ".join(f"{name}: {value}" for name, value in listed.items())


def tables(city: City, own: Iterable[Own]) -> Iterator[Exhibit]:
    """Yield the result of each method as a table for readers; all of its columns go with it."""
    for one in own:
        if not one.failed:
            groups = "breakdown " if (one.table["breakdown"] != "").any() else ""
            shown = f"label {groups}result low:high verdict first last unit {' '.join(one.method.columns)} reason"
            caption = say("{title}: one row a series. The function is {file}.", title=one.method.title,
                          file=one.method.where)  # fmt: skip
            yield table(city.labelled(one.table), one.method.name, caption, " ".join(shown.split()),
                        heads={"result": one.method.label, **one.method.columns})  # fmt: skip


def joined(own: Sequence[Own]) -> pd.DataFrame:
    """Return the results of all methods in one table, for checking: `method` and the columns that all share."""
    shared = ["area", *SERIES, *PERIODS, *NUMBERS, *TEXTS]
    parts = [one.table[shared].assign(method=one.method.name) for one in own]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["method", *shared])


def raise_if_failed(own: Iterable[Own]) -> None:
    """Raise one `MethodError` with what every method that failed says; return where none did."""
    wrong = [one.failed for one in own if one.failed]
    if wrong:
        raise MethodError("\n".join(wrong))


# --- for tests -----------------------------------------------------------------------------------


def tried(
    name: str, values: Mapping[Any, float], *, root: Path | None = None, unit: str = "%", direction: str = "",
    target: float = np.nan, target_year: float = np.nan, **settings: Any,
) -> pd.Series:  # fmt: skip
    """Run a method of the project on one series whose truth is known, for its test.

    Parameters
    ----------
    name : str
        Of the method.
    values : mapping
        Period (a year, or ISO 8601 text) -> value.
    root : Path, optional
        Folder of the project; left out, it is looked for from the working directory upwards.
    unit, direction : str
        Of the series; direction is increase, decrease or empty.
    target, target_year : float
        NaN: none.
    **settings
        In the place of those of the YAML file and of the city.

    Returns
    -------
    Series
        The row of the result, checked as in a run.

    Raises
    ------
    MethodError
        The function failed, returned something else, or no row.
    """
    root = root or find_root()
    method = read_method(name, root)
    key = {"area": "planted", "indicator": "planted.1", "series": "planted", "unit": unit}
    rows = [key | {"period": str(period), "breakdown": "", "value": value, "low": np.nan, "high": np.nan,
                   "status": "value", "source": "planted"} for period, value in values.items()]  # fmt: skip
    table = observations.check(pd.DataFrame(rows, columns=list(observations.COLUMNS)))
    defined = {name: [key[name]] for name in KEY} | {
        "label": ["Planted series"], "goal": [0], "direction": [direction], "target": [target],
        "target_year": [target_year],
    }  # fmt: skip
    method = method.model_copy(update={"needs": method.needs.model_copy(update={"indicators": ()})})
    of_city = {"baseline_year": 2015, "horizon": 2030, "seed": 2030}
    of_city["reference_year"] = max((year_of(str(period)) for period in values), default=2024)
    known = given(table, pd.DataFrame(defined), method)
    result = results(method, known, method.settings | of_city | settings, root)
    if not len(result):
        raise MethodError(f"method {name}, {method.where}: no row for the planted series")
    return result.iloc[0]
