"""Rows of the one table by what a finding names, found once and asked many times."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from vlr_analysis.observations import KEY
from vlr_analysis.periods import parse_period

SERIES = ("area", "indicator", "series", "unit")


class Lookup:
    """A table of observations, grouped by series.

    Parameters
    ----------
    table : DataFrame
        Observations of every area that may be asked for.
    """

    def __init__(self, table: pd.DataFrame):
        self._breakdowns = table["breakdown"].tolist()
        self._periods = table["period"].tolist()
        self._places: dict[tuple, list[int]] = {}
        keys = list(zip(*(table[name].tolist() for name in KEY), strict=True))
        self._rank = np.empty(len(keys), dtype=int)
        self._rank[sorted(range(len(keys)), key=keys.__getitem__)] = np.arange(len(keys))
        for place, series in enumerate(zip(*(table[name].tolist() for name in SERIES), strict=True)):
            self._places.setdefault(series, []).append(place)

    def rows(self, evidence: Iterable[Mapping[str, str]]) -> np.ndarray:
        """Return the places of the rows that a finding rests on, counted from 0.

        Parameters
        ----------
        evidence : iterable of mapping
            As in `Finding.evidence`; a register of what residents say has no rows in the table.

        Returns
        -------
        ndarray of int
            Sorted by key and time, each once.
        """
        found = {place for wanted in evidence if "register" not in wanted for place in self._of(wanted)}
        return np.array(sorted(found, key=self._rank.__getitem__), dtype=int)

    def _of(self, wanted: Mapping[str, str]) -> list[int]:
        places = self._places.get(tuple(wanted[name] for name in SERIES), [])
        groups = wanted["breakdown"]
        if groups.endswith("=*"):
            single = {text for text in {self._breakdowns[i] for i in places}
                      if not text or (text.startswith(groups[:-1]) and ";" not in text)}  # fmt: skip
        else:
            single = {groups}
        places = [i for i in places if self._breakdowns[i] in single]
        if not (wanted["first"] and wanted["last"]):
            return places
        begin, end = parse_period(wanted["first"]).start, parse_period(wanted["last"]).end
        spans = {text: parse_period(text) for text in {self._periods[i] for i in places}}
        within = {text for text, span in spans.items() if span.end > begin and span.start < end}
        return [i for i in places if self._periods[i] in within]
