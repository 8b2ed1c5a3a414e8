"""The first three files of a method: what it is (YAML), the function to fill, and a test that fails until it is."""

from __future__ import annotations

import keyword
from dataclasses import dataclass
from pathlib import Path

from slugify import slugify

from vlr_analysis.errors import Problem, raise_if_any
from vlr_analysis.method_files import METHODS, VERDICTS
from vlr_analysis.sources.kit import write_whole

LONGEST = 40


@dataclass(frozen=True)
class NewMethod:
    """What was made: the name, and paths below the project with forward slashes."""

    name: str
    files: tuple[str, ...]
    remark: str

    def lines(self) -> list[str]:
        """Return what to tell the user, with the next step."""
        about, function, test = self.files
        told = [self.remark] if self.remark else []
        told += [
            f"{about}: what the method is; each key has a word on it.",
            f"{function}: the function to fill.",
            f"{test}: a test that fails until you have said what the method should find.",
        ]
        return [*told, f"Next: fill the three, then: python -m pytest {test}   and   vlr run CITY --notebook 09"]


def new_method(name: str, root: Path) -> NewMethod:
    """Make `methods/<name>.yaml`, `methods/<name>.py` and `tests/test_method_<name>.py`.

    Parameters
    ----------
    name : str
        Name of the method; a name of a function is made of it: small letters, digits, underscores.
    root : Path
        Folder of the project.

    Returns
    -------
    NewMethod

    Raises
    ------
    InputError
        No such name can be made, or one of the files is there already; then nothing is written.
    """
    name = name.strip()
    made = slugify(name, separator="_")
    files = (f"{METHODS}/{made}.yaml", f"{METHODS}/{made}.py", f"tests/test_method_{made}.py")
    problems = []
    if not made or not made[0].isalpha() or not 2 <= len(made) <= LONGEST or keyword.iskeyword(made):
        expected = f"2 to {LONGEST} letters and digits, a letter first, that are no word of Python"
        problems.append(Problem("vlr new-method, NAME", repr(name[:80]), expected, "choose another name"))
    fix = "fill that one, choose another name, or move the file away first"
    problems += [
        Problem(file, "a file that is there already", "a method that is new", fix)
        for file in files
        if (root / file).exists()
    ]
    raise_if_any("vlr new-method", problems)
    for file, text in zip(files, (_YAML, _FUNCTION, _TEST), strict=True):
        filled = text.replace("<name>", made).replace("<verdicts>", ", ".join(VERDICTS))
        write_whole(root / file, filled.encode("utf-8"))
    remark = "" if made == name else f"The method is named {made}: a function needs plain letters."
    return NewMethod(made, files, remark)


_YAML = """\
# What the method is, for those who read its findings. Text in "" is to be filled; vlr run says what is missing.
# A line that begins with # is a remark. To use a key, take its # away and keep the spaces before it.
method:
  name: <name>
  title: ""               # what it tells, in a few words: Years to the target at the present pace
  label: ""               # what the column of its result is headed: Years to go
  unit: ""                # unit of the result, such as years or %; "" where it has none
  reference: ""           # where the method is described: Sen 1968, Estimates of the regression coefficient ...
  doi: ""                 # its DOI, such as 10.1080/01621459.1968.10480934; "" where there is none
  limits: []              # what it cannot tell, one sentence each; the first stands below every finding
  # - It says nothing of why the pace is what it is.

  # The words that it may give as a verdict. These are known, so that pages can sort and translate them:
  # <verdicts>
  verdicts: []

  needs:
    indicators: []        # codes in quotation marks, such as ["8.5.2", "cu.7"]; [] stands for every indicator
    yearly: true          # one value a year, nothing from before a break; false: every period as published
    groups: false         # true: groups (sex=female ...) as well as totals

  # columns: {pace: Change per year}   # further columns of the result, each with its heading
  grade_at_most: B        # A only where its error rates have been measured
  # settings: {values: 8}              # numbers and words that the function reads, so that others can change them
"""

_FUNCTION = '''\
"""<name>: a method of this project."""

import numpy as np
import pandas as pd


def <name>(observations, settings):
    """Say in one sentence what the method tells; the methods page begins with it.

    Then how it is computed, and what it refuses.

    Parameters
    ----------
    observations : DataFrame, one row a value, sorted by series and time
        area, indicator, series, unit, period, breakdown (empty: total), value (never NaN), low, high (NaN: no
        interval), status, source; year (middle of the period, decimal); label, goal, direction (increase, decrease
        or empty), target, target_year (NaN: none).
    settings : dict
        Those of <name>.yaml; and baseline_year, horizon, reference_year (newest year of the figures), seed.

    Returns
    -------
    DataFrame, one row a series
        indicator, series, unit; breakdown where groups are read; result (NaN where it cannot be told);
        verdict (a word of <name>.yaml, or "cannot tell", or empty: no finding). Where there are: low, high (95 %
        interval of the result), reason (why it cannot be told), caveat, first, last (periods used), and the columns
        that <name>.yaml names.
    """
    rows = []
    for key, one in observations.groupby(["indicator", "series", "unit", "breakdown"], sort=False):
        year, value = one["year"].to_numpy(), one["value"].to_numpy()
        raise NotImplementedError(f"fill methods/<name>.py: what do {len(year)} values {value[:3]} say?")
        rows.append((*key, np.nan, "cannot tell", ""))
    return pd.DataFrame(rows, columns=["indicator", "series", "unit", "breakdown", "result", "verdict", "reason"])
'''

_TEST = '''\
"""Planted truth for methods/<name>.py: series for which you know the answer, stated by hand.

Fill PLANTED and EXPECTED. The numbers come from paper or from another program, never from the method itself.
"""

from pathlib import Path

import pytest

from vlr_analysis import own_methods

ROOT = Path(__file__).resolve().parents[1]

# A series whose answer you know: {2015: 40.0, 2016: 38.0, ...}, and what else it needs, such as
# {"direction": "decrease", "target": 10, "target_year": 2030}.
PLANTED = {}
KNOWN = {}
# What the method should find in it: {"result": 7.5, "verdict": "on track"}.
EXPECTED = {}


def test_it_finds_the_planted_truth():
    assert PLANTED and {"result", "verdict"} <= set(EXPECTED), "fill PLANTED and EXPECTED: what should it find?"
    row = own_methods.tried("<name>", PLANTED, root=ROOT, **KNOWN)
    for column, value in EXPECTED.items():
        assert row[column] == (value if isinstance(value, str) else pytest.approx(value, rel=1e-6)), column


def test_it_refuses_what_two_values_cannot_carry():
    """A method that always has an answer misleads. If yours can speak on two values, say here why, and test that."""
    row = own_methods.tried("<name>", {2023: 10.0, 2024: 11.0}, root=ROOT, **KNOWN)
    assert row["verdict"] in ("cannot tell", "")
    assert row["reason"]
'''
