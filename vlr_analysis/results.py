"""Every result table of a city, each computed once when first asked for, and all findings made from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from vlr_analysis import (
    benchmark,
    breakdowns,
    catalogue,
    checklist,
    comparison,
    covid,
    disparities,
    grades,
    language,
    lead,
    own_methods,
    progress,
    readiness,
    requests,
    smell,
    statements,
    statements_evidence,
    statements_places,
    trends,
    voices,
)
from vlr_analysis.cities import DEFINITION_KEY, City
from vlr_analysis.findings import Finding, as_table, leading
from vlr_analysis.language import coded
from vlr_analysis.observations import KEY as ROW_KEY
from vlr_analysis.periods import year_of
from vlr_analysis.sources.shared import once_a_run


@dataclass(frozen=True)
class Results:
    """The result tables of one city, as the chapters compute them.

    Attributes
    ----------
    city : City

    Notes
    -----
    The chapters call the analyses themselves, so that a reader sees which one makes what, or take a table that is dear
    from here and name what makes it: within a run it is computed once. Whatever needs all tables (the page of findings,
    the hand-over) reads them here; a test keeps the two equal.
    """

    city: City

    @property
    def shared_by(self) -> str:
        """What tells these tables apart from those of others, for `shared.once_a_run`."""
        return f"{self.city.shared_by} {language.current()}"

    @once_a_run
    def smells(self) -> pd.DataFrame:
        """Suspicions about the city's own figures, from `smell.smell_table`."""
        return smell.smell_table(self.city.observations, self.city.definitions, self.city.around)

    @once_a_run
    def smells_beside(self) -> pd.DataFrame:
        """Suspicions about the figures of nation and peers."""
        return smell.smell_table(self.city.around, self.city.definitions, self.city.observations)

    @once_a_run
    def grades(self) -> pd.DataFrame:
        """Grade of the evidence of each series, from `grades.series_grades`."""
        city = self.city
        return grades.series_grades(
            city.observations, city.definitions, city.all_sources, city.reference_year, smells=self.smells
        )

    @cached_property
    def breakdowns(self) -> pd.DataFrame:
        """For whom each series tells, from `breakdowns.breakdown_table`."""
        return breakdowns.breakdown_table(self.city.observations, self.city.definitions)

    @once_a_run
    def requests(self) -> pd.DataFrame:
        """What is worth asking for, from `requests.data_request`."""
        city, own = self.city, self.city.observations
        return requests.data_request(
            own, city.definitions, city.all_sources, smells=pd.concat([self.smells, self.smells_beside]),
            targets=readiness.coverage_by_target(own, city.definitions, city.goals, city.priority_targets),
            breakdowns=self.breakdowns,
            ages=readiness.age_table(own, city.reference_year), around=city.around, nation=city.nation,
            areas=city.areas, years=(city.baseline_year, city.reference_year), shock=city.covid.shock,
            raised=voices.uncovered(self.triangulation, city.definitions.merge(own[DEFINITION_KEY].drop_duplicates())),
        )  # fmt: skip

    @cached_property
    def letter(self) -> str:
        """The letter that asks the national statistical office for data, from `requests.letter`."""
        city = self.city
        nation = city.areas[city.nation[-1]] if city.nation else ""
        return requests.letter(
            self.requests, city=city.name, nation=nation, contact=city.contact, threshold=city.disclosure_threshold
        )

    @cached_property
    def checklist(self) -> pd.DataFrame:
        """The twenty points of a data chapter, from `checklist.checklist`."""
        city = self.city
        national = city.around["area"].isin(city.nation)
        return checklist.checklist(
            city.observations, city.definitions, city.sources, graded=self.grades,
            breakdowns=self.breakdowns, requested=self.requests,
            nation=city.around[national], peers=city.around[~national], paired=len(city.pairs),
            years=(city.baseline_year, city.reference_year), shock=city.covid.shock, voices=len(city.voices),
            threshold=city.disclosure_threshold, contact=city.contact, boundary=city.boundary,
        )  # fmt: skip

    @once_a_run
    def trend(self) -> pd.DataFrame:
        """Trends, from `trends.trend_table`."""
        return trends.trend_table(self.city.observations, self.city.definitions)

    @once_a_run
    def progress(self) -> pd.DataFrame:
        """Progress, from `progress.progress_table`."""
        city = self.city
        return progress.progress_table(
            city.observations, city.definitions, baseline_year=city.baseline_year, horizon=city.horizon
        )

    @once_a_run
    def covid(self) -> pd.DataFrame:
        """Shock and recovery of the city and of all places beside it, from `covid.covid_table`."""
        city = self.city
        everywhere = pd.concat([city.observations, *(city.as_own(area) for area in city.comparators)])
        dates = {"shock": city.covid.shock, "recovery_from": city.covid.recovery_from}
        return covid.covid_table(everywhere.reset_index(drop=True), city.definitions, **dates, seed=city.seed)

    @cached_property
    def groups(self) -> pd.DataFrame:
        """The city's observations, groups under their totals, from `disparities.regrouped`."""
        return disparities.regrouped(self.city.observations, self.city.definitions)

    @once_a_run
    def disparity(self) -> pd.DataFrame:
        """Inequality between groups in the latest period, from `disparities.latest_of`."""
        city = self.city
        table = disparities.disparity_table(
            self.groups, city.definitions, city.populations, orders=city.orders, seed=city.seed
        )
        return disparities.latest_of(table)

    @once_a_run
    def disparity_change(self) -> pd.DataFrame:
        """Inequality over time and what the average hides, from `disparities.disparity_trend_table`."""
        return disparities.disparity_trend_table(self.groups, self.city.definitions, orders=self.city.orders)

    @once_a_run
    def compared(self) -> dict[str, pd.DataFrame]:
        """The city beside each area of its nation, from `comparison.comparison_table`."""
        city = self.city
        span = {"baseline_year": city.baseline_year, "horizon": city.horizon}
        others = {area: city.around[city.around["area"] == area] for area in city.nation}
        odd = pd.concat([self.smells, self.smells_beside])
        return comparison.comparison_tables(city.observations, others, city.definitions, city.pairs, smells=odd, **span)

    @once_a_run
    def standings(self) -> pd.DataFrame:
        """The city within the range of its peers, from `benchmark.benchmark_table`."""
        city = self.city
        table = pd.concat([city.observations, city.around[city.around["area"].isin(city.peers)]])
        return benchmark.benchmark_table(table, city.definitions, city.id)

    @cached_property
    def voices(self) -> pd.DataFrame:
        """Evidence from residents, one row a piece, from `voices.evidence_table`."""
        return voices.evidence_table(self.city.voices, self.city.reference_year)

    @once_a_run
    def triangulation(self) -> pd.DataFrame:
        """What residents say beside what the figures say, from `voices.triangulation`."""
        city, change = self.city, self.disparity_change
        return voices.triangulation(city.voices, self.trend, city.definitions, change, as_of=city.reference_year)

    @once_a_run
    def own(self) -> list[own_methods.Own]:
        """What the methods of the project say, from `own_methods.run_methods`; one that failed has no findings."""
        return own_methods.run_methods(self.city, self.grades)

    @once_a_run
    def findings(self) -> list[Finding]:
        """All findings of the city, chapter by chapter, in the order in which the chapters tell them."""
        city, known, graded = self.city, self.city.definitions, self.grades
        found = statements_evidence.evidence_findings(known, graded, self.smells)
        found += statements.target_findings(self.progress, known, graded)
        found += statements.trend_findings(self.trend, known, graded)
        found += statements.recovery_findings(self.covid, known, city.areas, graded)
        found += statements.disparity_findings(self.disparity, self.disparity_change, known, graded)
        for table in self.compared.values():
            found += statements_places.comparison_findings(table, known, city.areas, graded)
        found += statements_places.benchmark_findings(self.standings, known, city.id, graded)
        found += statements_evidence.voices_findings(self.triangulation, known)
        return found + [finding for one in self.own for finding in one.findings]

    @cached_property
    def leading(self) -> list[Finding]:
        """What to read first, from `findings.leading`."""
        return leading(self.findings)

    @property
    def ordered(self) -> list[Finding]:
        """All findings, what to read first in front."""
        return [*self.leading, *(finding for finding in self.findings if finding not in self.leading)]

    # --- the same findings by what people ask for -------------------------------------------------

    @property
    def priorities(self) -> pd.DataFrame:
        """Priority targets of the city, each with what there is of it, also where there is nothing."""
        return self._by_target([("", code) for code in self.city.priority_targets]).drop(columns="pillar")

    @property
    def pillars(self) -> pd.DataFrame:
        """Pillars of the city's strategy by target; a target may stand under several."""
        return self._by_target([(name, code) for name, codes in self.city.pillars.items() for code in codes])

    def _by_target(self, wanted: list[tuple[str, str]]) -> pd.DataFrame:
        own = self.city.definitions.merge(self.city.observations[DEFINITION_KEY].drop_duplicates())
        rows = []
        for pillar, code in wanted:
            fits = np.array([code == _target_of(row) for row in own.itertuples()], dtype=bool)
            keys = own.loc[fits, DEFINITION_KEY]
            mine = self.city.observations.merge(keys)
            moves = self.trend[self.trend["breakdown"] == ""].merge(keys)["movement"].value_counts()
            named = set(map(tuple, keys.to_numpy()))
            told = sum((finding.indicator, finding.series, finding.unit) in named for finding in self.findings)
            latest = max((str(year_of(period)) for period in mine["period"]), default="–")
            state = "figures" if len(keys) else "gap: no figures"
            rows.append((pillar, code, catalogue.label(code), len(keys), told, int(moves.get(trends.TOWARDS, 0)),
                         int(moves.get(trends.AWAY, 0)), latest, state))  # fmt: skip
        columns = ["pillar", "target_code", "target_label", "n_series", "findings", "towards", "away", "latest_year",
                   "state"]  # fmt: skip
        return pd.DataFrame(rows, columns=columns)

    @property
    def duties(self) -> pd.DataFrame:
        """Findings on series that a department answers for, by department."""
        known = self.city.definitions[[*DEFINITION_KEY, "label", "department", "measure"]]
        rows = as_table(self.findings).merge(known, on=DEFINITION_KEY).rename(columns={"measure": "measure_informed"})
        return rows[rows["department"] != ""].sort_values("department", kind="stable").reset_index(drop=True)

    @property
    def lead_numbers(self) -> pd.DataFrame:
        """The numbers that the box for the national review gives."""
        known = self.city.definitions.set_index(DEFINITION_KEY)
        chosen = lead.lead_figures(self.ordered, known["goal"].to_dict())
        rows = [
            (known.loc[(item.finding.indicator, item.finding.series, item.finding.unit), "label"], item.phrase,
             item.interval or "–", item.finding.statement, item.finding.grade, item.finding.id)
            for item in chosen
        ]  # fmt: skip
        return pd.DataFrame(rows, columns=["label", "number", "interval", "statement", "grade", "id"])


# --- several cities ----------------------------------------------------------------------------------


def side_by_side(reviews: Sequence[Results]) -> pd.DataFrame:
    """Return one row a city: how many series, years and findings, and the grades of these."""
    rows = []
    for review in sorted(reviews, key=lambda review: review.city.name):
        city, found = review.city, review.findings
        years = [year_of(period) for period in city.observations["period"].unique()]
        letters = {letter: sum(finding.grade == letter for finding in found) for letter in grades.LETTERS}
        series = len(city.observations[DEFINITION_KEY].drop_duplicates())
        ends = {"first": str(min(years, default="–")), "last": str(max(years, default="–"))}
        rows.append({"place": city.name, "country": city.country, "n_series": series, **ends, **letters,
                     "findings": len(found), "made_up": city.made_up})  # fmt: skip
    columns = ["place", "country", "n_series", "first", "last", *grades.LETTERS, "findings", "made_up"]
    return pd.DataFrame(rows, columns=columns)


@dataclass(frozen=True)
class LikeCities:
    """Cities of one country: ids, names, words for them, and shock and recovery of all of them."""

    words: str
    areas: tuple[str, ...]
    names: dict[str, str]
    covid: pd.DataFrame
    definitions: pd.DataFrame


def like_cities(cities: Sequence[City]) -> dict[str, LikeCities]:
    """Group the cities of a run and their peers by country; cities that do not exist are left out.

    Parameters
    ----------
    cities : sequence of City

    Returns
    -------
    dict
        Country -> its cities. The dates of the shock are those of the first city of the country.
    """
    groups = {}
    real = [city for city in sorted(cities, key=lambda city: city.id) if not city.made_up]
    for country in dict.fromkeys(city.country for city in real):
        mine = [city for city in real if city.country == country]
        tables = pd.concat([table for city in mine for table in (city.observations, city.around)])
        names = {area: name for city in mine for area, name in city.areas.items() if area not in city.nation}
        table = tables[tables["area"].isin(names)].drop_duplicates(list(ROW_KEY)).reset_index(drop=True)
        known = pd.concat([city.definitions for city in mine]).drop_duplicates(DEFINITION_KEY)
        dates = {"shock": mine[0].covid.shock, "recovery_from": mine[0].covid.recovery_from}
        shocked = covid.covid_table(table, known, **dates, seed=mine[0].seed)
        words = words_of_group(len(names), country)
        groups[country] = LikeCities(words, tuple(sorted(names)), names, shocked, known)
    return groups


def words_of_group(count: int, country: str) -> str:
    """Return how the like cities of a country are called: their number, and its ISO 3166-1 code."""
    cities = coded("{n} cities", n=count)
    return f"{cities}, {country}"


def _target_of(row) -> str:
    """Target of a series: the one that the indicators table names, else that of its code."""
    return row.sdg_target or (row.indicator.rpartition(".")[0] if catalogue.is_global(row.indicator) else "")
