"""smell.py, slips.py, smell_groups.py: slips are found, honest series are left alone, real cases are named."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from vlr_analysis import catalogue, slips, smell
from vlr_analysis.observations import COLUMNS, check
from vlr_analysis.sources.kit import read_table
from vlr_analysis.sources.open_sdg import read_open_sdg

ROOT = Path(__file__).resolve().parents[1]
RAW = ROOT.parent / "shared" / "sources" / "open-sdg"
BANNED = re.compile(r"\b(caused?|causes|proves?|proven|significant(ly)?|because|best|worst)\b", re.I)
YEARS = list(range(2010, 2020))


def definitions_of(table):
    rows = table[["indicator", "series", "unit"]].drop_duplicates()
    for name in ("kind", "lower", "upper"):
        rows[name] = [getattr(catalogue.unit_scale(unit), name) for unit in rows["unit"]]
    return rows


def rows_of(series, area="town"):
    """List observations: {(indicator, unit, breakdown): {year: value}}; the series is named after the indicator."""
    return [
        (area, indicator, f"measure {indicator}", unit, str(year), breakdown, value, np.nan, np.nan, "value", "test")
        for (indicator, unit, breakdown), values in series.items()
        for year, value in values.items()
    ]


def made(series, area="town"):
    return check(pd.DataFrame(rows_of(series, area), columns=list(COLUMNS)))


def told(table, others=None):
    known = definitions_of(table if others is None else pd.concat([table, others]))
    return smell.smell_table(table, known, others)


def by_year(*values, first=2010):
    return {first + place: value for place, value in enumerate(values)}


# --- one series ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "about", "suspicion", "at"),
    [
        ([20.1, 21.3, 205.0, 20.7, 22.2], {"kind": "rate"}, "factor of 10", (2, 2)),
        ([20.1, 21.3, 20.4, 20.7, 222.0], {"kind": "rate"}, "factor of 10", (4, 4)),
        ([20.1, 21.3, 20.4, 2.07, 2.22], {"kind": "rate"}, "factor of 10", (3, 4)),
        ([3011.0, 3122.0, 301500.0, 3077.0], {"kind": "count"}, "factor of 100", (2, 2)),
        ([3011.0, 3122.0, 3.01, 3.08, 3077.0, 3100.0], {"kind": "rate"}, "factor of 1000", (2, 3)),
        ([0.41, 0.402, 41.7, 42.0, 0.4, 0.39, 0.41], {"kind": "share"}, "percent against proportion", (2, 3)),
        ([48.0, -18.0, 62.0, 34.0, -0.002], {"unit": "growth rate (%)"}, "percent against proportion", (4, 4)),
        ([133_847.0, 137_191.0], {"unit": "Percent Change"}, "total in a rate", (0, 1)),
        ([625.0], {"unit": "Rate per 100"}, "total in a rate", (0, 0)),
        ([35_864_676.0], {"unit": "Tons", "series": "waste per capita"}, "total in a rate", (0, 0)),
        ([52.0, 0.0, 55.0, 0.0, 0.0, 49.0], {"kind": "count"}, "repeated zeros", (1, 4)),
        ([52.0, 54.0, 55.0, 51.0, 0.0, 0.0, 0.0], {"kind": "count"}, "repeated zeros", (4, 6)),
        ([45.0, 46.1, 99.0, 44.2, 45.3], {"kind": "share"}, "placeholder", (2, 2)),
        ([45.0, 46.1, -1.0, 44.2, 45.3], {"kind": "share", "bounds": (0, 100)}, "placeholder", (2, 2)),
        ([1.0, 2.0, 3.0], {}, "placeholder", (0, 2)),
        ([99.0] * 6, {}, "placeholder", (0, 5)),
        ([3.4] * 6, {}, "flat", (0, 5)),
        ([466_612.0, 471_208.0, 480_551.0, 480_551.0, 455_002.0, 449_871.0], {"kind": "count"}, "flat", (2, 3)),
        ([45.0, 46.1, 123.0, 44.2], {"kind": "share", "bounds": (0, 100)}, "outside the possible range", (2, 2)),
        ([8.0, 7.9, 7.8, 7.7, 3.9, 7.8, 7.7, 7.6, 7.6], {"kind": "share"}, "stands apart", (4, 4)),
        ([8.9, 74.0, 6.2], {"kind": "rate"}, "factor of 10", (1, 1)),
        ([10.4, 8.9, 74.0, 6.2, 5.1], {"kind": "share"}, "factor of 10", (2, 2)),
        ([8.9, 0.75, 6.2], {"kind": "rate"}, "factor of 10", (1, 1)),
        ([0.052, 0.061, 0.07], {"kind": "share", "unit": "%"}, "percent against proportion", (0, 2)),
        ([0.52, 0.61, 0.0, 0.7], {"kind": "share", "unit": "% of households"}, "percent against proportion", (0, 3)),
    ],
)  # fmt: skip
def test_a_slip_inside_a_series_is_named_with_its_place(values, about, suspicion, at):
    hits = slips.series_hits(np.array(values), np.arange(2010.5, 2010.5 + len(values)), **about)
    assert suspicion in {hit.suspicion for hit in hits}
    hit = next(hit for hit in hits if hit.suspicion == suspicion)
    assert (hit.first, hit.last) == at
    assert re.search(r"\d", hit.text), "what was seen carries its numbers"
    assert hit.innocent
    assert not BANNED.search(f"{hit.text} {hit.innocent}")


@pytest.mark.parametrize(
    ("values", "about"),
    [
        ([20.0, 21.0, 150.0, 21.0, 22.0], {"kind": "rate"}),  # a large jump, no power of ten
        ([1.0, 2.0, 20.0, 200.0], {"kind": "count"}),  # growth, which does not come back
        ([3.0, 3.0, 30.0, 3.0, 3.0], {"kind": "count"}),  # small counts jump
        ([100.0] * 8, {"kind": "share", "bounds": (0, 100)}),  # a full share stays full
        ([4.0] * 5, {"kind": "rate"}),  # one digit says little
        ([0.0, 0.0, 0.0, 95.0, 149.0, 267.0], {"kind": "count"}),  # before it began
        ([0.0, 19.2, 0.0, 38.5, 0.0, 19.2], {"kind": "rate"}),  # single cases in a small place
        ([-1.0, -1.0, 1.0, 1.0, 1.0], {}),  # an answer, coded
        ([103.0, 104.0, 101.0], {"kind": "ratio", "bounds": (0, np.nan)}),  # may pass 100
        ([61_000.0, 64_000.0], {"unit": "US$", "series": "GDP per capita"}),  # money per head is large
        ([8.9, 74.0, 2.1], {"kind": "rate"}),  # neighbours that differ much say little
        ([8.9, 40.0, 6.2], {"kind": "rate"}),  # no power of ten
        ([4.0, 31.0, 3.0], {"kind": "count"}),  # small counts jump
        ([0.5, 0.6, 0.8], {"kind": "share", "unit": "%"}),  # small shares, as finely written as others
        ([0.12, 0.15, 0.11], {"kind": "share", "unit": "%"}),
        ([0.052, 0.061, 0.07], {"kind": "share", "unit": "proportion", "bounds": (0, 1)}),
        ([0.052, 0.061, 1.07], {"kind": "share", "unit": "%"}),
    ],
)
def test_what_is_innocent_is_left_alone(values, about):
    assert slips.series_hits(np.array(values), np.arange(2010.5, 2010.5 + len(values)), **about) == []


def test_a_fall_to_a_tenth_in_2020_was_often_real():
    values = np.array([500.0, 510.0, 505.0, 51.0, 498.0])
    assert slips.series_hits(values, np.arange(2017.5, 2022.5), kind="rate") == []
    assert slips.series_hits(values, np.arange(2007.5, 2012.5), kind="rate")[0].suspicion == "factor of 10"
    months = 2020 + np.arange(6) / 12
    assert slips.series_hits(np.array([36.5, 40.1, 4.1, 4.3, 4.0, 3.9]), months, kind="rate", yearly=False) == []
    # A rise to ten times as much was not.
    assert slips.series_hits(1e5 / values, np.arange(2017.5, 2022.5), kind="rate")[0].suspicion == "factor of 10"


def honest(rng):
    """One honest series of some kind: noise, trend, counts with zeros, small rates, seasons, a fall of 90 % in 2020."""
    n = int(rng.integers(4, 26))
    t = 2024.5 - np.arange(n)[::-1]
    noise = np.cumsum(rng.normal(0, 0.05, n)) + rng.normal(0, rng.uniform(0.01, 0.15), n)
    kind = rng.choice(["share", "rate", "count", "small", "fall", "season", "walk", "money", "break", "heavy"])
    if kind == "share":
        return np.round(100 / (1 + np.exp(-rng.normal() - noise)), rng.integers(0, 3)), t, "share", True
    if kind == "count":
        return rng.poisson(10 ** rng.uniform(-0.5, 4) * np.exp(noise)).astype(float), t, "count", True
    if kind == "small":
        people = 10 ** rng.uniform(3.5, 5.5)
        return np.round(rng.poisson(10 ** rng.uniform(-0.5, 1.5), n) / people * 1e5, 1), t, "rate", True
    if kind == "fall":
        back = rng.choice([0.1, 0.4, 0.8, 1.0])
        fall = np.where(t < 2020, 1.0, 1 - 0.9 * (1 - back) ** np.maximum(t - 2020.5, 0))
        return np.rint(10 ** rng.uniform(2, 7) * np.exp(noise) * fall), t, "count", True
    if kind == "season":
        t = 2024.96 - np.arange(60)[::-1] / 12
        y = rng.uniform(3, 60) * np.exp(rng.uniform(0, 0.8) * np.sin(2 * np.pi * t) + rng.normal(0, 0.05, 60))
        return np.round(np.where((t > 2020.2) & (t < 2021), 0.1 * y, y), 1), t, "rate", False
    if kind == "walk":
        return np.round(np.exp(rng.uniform(0, 6) + np.cumsum(rng.normal(0, 0.3, n))), 1), t, "rate", True
    if kind == "money":
        return np.rint(np.exp(rng.uniform(5, 12) + 0.03 * np.arange(n) + noise)), t, "money", True
    y = np.exp(rng.uniform(1, 5) + noise)
    if kind == "break":
        y[rng.integers(1, n) :] *= rng.choice([0.2, 0.5, 2, 5])
    if kind == "heavy":
        y *= np.exp(0.1 * rng.standard_t(3, n))
    return np.round(y, 1), t, "rate", True


def test_honest_series_are_rarely_listed():
    rng = np.random.default_rng(20)
    listed = 0
    for _ in range(2000):
        y, t, kind, yearly = honest(rng)
        listed += bool(slips.series_hits(y, t, kind=kind, bounds=(0, np.nan), yearly=yearly))
    assert listed / 2000 < 0.02


@pytest.mark.parametrize("power", [-3, -2, -1, 1, 2, 3])
@pytest.mark.parametrize("where", ["inside", "run", "end"])
def test_planted_slips_are_found(power, where):
    rng, found = np.random.default_rng(21), 0
    for _ in range(100):
        y = np.round(50 * np.exp(0.02 * np.arange(12) + rng.normal(0, 0.04, 12)), 2)
        at = {"inside": slice(5, 6), "run": slice(4, 7), "end": slice(11, 12)}[where]
        y[at] *= 10.0**power
        hits = slips.series_hits(y, np.arange(2000.5, 2012.5), kind="rate")
        found += any(hit.suspicion == f"factor of {10 ** abs(power)}" and hit.first == at.start for hit in hits)
    assert found >= 90


# --- totals and groups -------------------------------------------------------------------------------------


def with_total(unit, total, groups, dimension="sex", indicator="1.1.1"):
    series = {(indicator, unit, ""): dict(zip(YEARS, total, strict=True))}
    for name, values in groups.items():
        series[(indicator, unit, f"{dimension}={name}")] = {
            year: value for year, value in zip(YEARS, values, strict=True) if value == value
        }
    return made(series)


def counts(seed=3, groups=3):
    return np.random.default_rng(seed).integers(200, 900, (groups, 10)).astype(float)


def one_suspicion(table):
    rows = told(table)
    assert len(rows) == 1, rows[["suspicion", "text"]].to_string()
    return rows.iloc[0]


def test_a_total_of_both_sexes_lies_between_them():
    women, men = np.full(10, 5.6) + np.arange(10) / 10, np.full(10, 5.0) + np.arange(10) / 10
    total = (women + men) / 2
    total[[6, 8]] = women[[6, 8]] + 0.4
    row = one_suspicion(with_total("%", total.round(1), {"female": women, "male": men}))
    assert (row["suspicion"], row["first"], row["last"]) == ("total outside its groups", "2016", "2018")
    assert "lies between them" in row["text"]
    assert "2 of 10 periods" in row["text"]
    assert "ages" in row["innocent"]


@pytest.mark.parametrize(
    ("dimension", "names", "total", "about"),
    [
        ("sex", ("male", "female"), 12.0, "the total of both lies between them"),
        ("sex", ("male", "female", "other"), 12.0, "where these groups are everybody"),
        ("age", ("0-14", "15+"), 3.2, "where these groups are everybody"),
        ("district", ("north", "south", "port"), 12.0, "where these groups are everybody"),
        ("location", ("urban", "rural"), 7.0, ""),  # less than a fifth away: some live in neither
        ("age", ("0-14", "15+"), 11.2, ""),  # nearly their sum: parts of a whole
        ("age", ("0-14", "15+"), 100.0, ""),  # shares of all, some of no known age
        ("mode", ("car", "bus"), 19.0, ""),  # no groups of people
    ],
)
def test_a_total_far_outside_groups_of_a_rate_is_a_question(dimension, names, total, about):
    series = {("1.1.1", "%", ""): {2020: total}}
    series |= {("1.1.1", "%", f"{dimension}={name}"): {2020: 5.0 + k} for k, name in enumerate(names)}
    rows = told(made(series))
    assert rows["suspicion"].tolist() == ["total outside its groups"] * bool(about)
    assert all(about in text for text in rows["text"])
    assert not about.startswith("where") or "leave people out" in rows["innocent"].iloc[0]


def test_rounding_does_not_put_a_total_outside():
    women = np.round(50 + np.random.default_rng(4).normal(0, 1, 10), 1)
    assert len(told(with_total("%", women + 0.1, {"female": women, "male": women}))) == 0


def test_groups_that_make_the_total_show_a_count_under_the_name_of_a_rate():
    parts = counts(groups=2)
    row = one_suspicion(with_total("per 100,000", parts.sum(axis=0), {"female": parts[0], "male": parts[1]}))
    assert row["suspicion"] == "total in a rate"
    assert "as counts do and rates do not" in row["text"]
    # By cause all groups share one population: their rates do add up.
    causes = with_total("per 100,000", parts.sum(axis=0), {"heart": parts[0], "lung": parts[1]}, dimension="cause")
    assert len(told(causes)) == 0


def test_a_group_told_across_the_others_is_found_by_leaving_it_out():
    parts = counts()
    across = parts.sum(axis=0) * 0.4
    groups = {"young": parts[0], "middle": parts[1], "old": parts[2], "newcomers": across.round()}
    row = one_suspicion(with_total("people", parts.sum(axis=0), groups, dimension="age"))
    assert row["suspicion"] == "groups overlap"
    assert "without newcomers they add up exactly in 10 periods" in row["text"]


def test_parts_that_once_do_not_add_up():
    parts = counts()
    total = parts.sum(axis=0)
    total[4] += 300
    row = one_suspicion(with_total("people", total, dict(zip("abc", parts, strict=True)), dimension="age"))
    assert (row["suspicion"], row["first"], row["value"]) == ("parts do not add up", "2014", total[4])


def test_a_total_that_leaves_a_group_out():
    parts = counts() * 10 + 3
    total = parts.sum(axis=0) + 5000
    parts[2, 7:] = np.nan
    total[7:] = np.nansum(parts[:, 7:], axis=0)
    rows = told(with_total("deaths", total, dict(zip(["heart", "lung", "cancer"], parts, strict=True)), "cause"))
    row = rows[rows["suspicion"] == "parts do not add up"].iloc[0]
    assert (row["first"], row["last"]) == ("2017", "2019")
    assert "cancer, about" in row["text"]
    assert "is left out" in row["text"]


def test_a_dimension_that_is_not_complete_is_no_suspicion():
    parts = counts()
    some = {"a": parts[0], "b": np.where(np.arange(10) == 3, np.nan, parts[1])}
    assert len(told(with_total("people", parts.sum(axis=0), some, dimension="ethnicity"))) == 0


def test_a_rate_under_the_name_of_a_count():
    rng = np.random.default_rng(5)
    high, low = np.round(20 + rng.normal(0, 1, 10), 1), np.round(6 + rng.normal(0, 0.5, 10), 1)
    total = np.round((high + 5 * low) / 6, 1)
    row = one_suspicion(with_total("cases", total, {"a": high, "b": low}, dimension="orientation"))
    assert row["suspicion"] == "groups overlap"
    assert "as a rate's does" in row["text"]


def test_values_that_changed_places_between_two_groups():
    t = np.arange(10)
    women, men = 60 - 0.3 * t, 30 + 0.2 * t
    women[4], men[4] = men[4], women[4]
    rows = told(with_total("%", (women + men) / 2, {"female": women.round(1), "male": men.round(1)}))
    assert "swapped" in set(rows["suspicion"])
    assert rows.loc[rows["suspicion"] == "swapped", "first"].iloc[0] == "2014"


def test_a_year_carried_on_shows_in_two_groups_at_once():
    parts = counts(groups=2) * 97 + 11
    parts[:, 6] = parts[:, 5]
    rows = told(with_total("people", parts.sum(axis=0) + 40_000, dict(zip("ab", parts, strict=True)), "age"))
    flat = rows[rows["suspicion"] == "flat"]
    assert ("2015", "2016") in set(zip(flat["first"], flat["last"], strict=True))


# --- the same figures under two names, and other places -----------------------------------------------------


def test_the_same_figures_under_two_indicators_but_not_under_two_codes_of_one():
    values = by_year(92.39, 90.98, 91.53, 92.38, 92.58)
    copied = made({("4.2.2", "%", ""): values, ("4.6.1", "%", ""): values})
    row = one_suspicion(copied)
    assert (row["suspicion"], row["indicator"]) == ("duplicate of another series", "4.6.1")
    assert "the same figures as 4.2.2" in row["text"]
    assert len(told(made({("1.5.1", "%", ""): values, ("13.1.1", "%", ""): values}))) == 0, "one indicator, two codes"


def test_figures_that_were_the_same_and_part():
    same = [23.3, 23.0, 22.4, 20.5, 19.5, 17.4, 16.5, 16.7]
    table = made({("1.2.1", "%", ""): by_year(*same, 17.1, 18.0), ("1.2.2", "%", ""): by_year(*same, 10.1, 9.3)})
    row = one_suspicion(table)
    assert (row["suspicion"], row["first"], row["last"]) == ("duplicate of another series", "2018", "2019")
    assert "8 of 10 periods, apart in 2018: 10.1 here, 17.1 there" in row["text"]


def place(area, factor, seed, unit="per 100,000"):
    y = np.round(factor * 12 * np.exp(np.random.default_rng(seed).normal(0, 0.1, 10)), 3)
    return made({("3.6.1", unit, ""): dict(zip(YEARS, y, strict=True))}, area=area)


def test_one_area_of_another_order_stands_out_among_many():
    peers = [place(f"peer-{n}", 1.3 if n % 2 else 0.9, n) for n in range(4)]
    row = one_suspicion(pd.concat([place("town", 10, 9), *peers], ignore_index=True))
    assert (row["area"], row["suspicion"]) == ("town", "factor of 10")
    assert "in 4 other areas" in row["text"]
    assert len(told(pd.concat([place("town", 2.5, 9), *peers], ignore_index=True))) == 0
    row = one_suspicion(pd.concat([place("town", 4000, 9), *peers], ignore_index=True))
    assert row["suspicion"] == "total in a rate"
    assert len(told(place("town", 1, 9), pd.concat([place("odd", 10, 5), *peers], ignore_index=True))) == 0
    spread = [place(f"peer-{n}", 4**n, n) for n in range(4)]
    assert len(told(pd.concat([place("town", 80, 9), *spread], ignore_index=True))) == 0, "they differ anyhow"
    shares = [place(f"peer-{n}", 0.01, n, "proportion").round({"value": 2}) for n in range(3)]
    row = one_suspicion(pd.concat([place("town", 1, 9, "proportion"), *shares], ignore_index=True).assign(unit="%"))
    assert row["suspicion"] == "percent against proportion"


def test_of_two_areas_nobody_knows_which_is_wrong_and_totals_differ_by_size():
    both = pd.concat([place("town", 10, 1), place("land", 1, 1)], ignore_index=True)
    assert len(told(both)) == 1
    rows = told(place("town", 10, 1), place("land", 1, 1))
    assert list(rows["area"]) == ["town"]
    assert len(told(pd.concat([place("town", 1, 1, "deaths"), place("land", 10, 1, "deaths")], ignore_index=True))) == 0


def test_an_area_with_the_figures_of_another():
    own = place("town", 1, 1)
    rows = told(pd.concat([own, own.assign(area="land")], ignore_index=True))
    assert list(rows["suspicion"]) == ["duplicate of another series"]
    assert "in all 10 common periods" in rows["text"].iloc[0]


def test_the_table_has_its_columns_also_where_nothing_is_found():
    rows = told(made({("1.1.1", "%", ""): by_year(50.1, 49.7, 50.9)}))
    assert list(rows.columns) == smell.COLUMNS
    assert len(rows) == 0


def test_short_honest_series_are_hardly_ever_listed_for_one_value_between_two():
    rng, listed = np.random.default_rng(23), 0
    for _ in range(4000):
        y, t, kind, _ = honest(rng)
        few = slice(rng.integers(3, 8))
        hits = slips.series_hits(y[few], t[few], kind=kind, yearly=False)
        listed += any(hit.suspicion.startswith("factor of") for hit in hits)
    assert listed < 0.001 * 4000


def test_groups_and_areas_that_are_honest_are_rarely_listed():
    """Sexes with survey noise, ages with some unknown, incomplete ethnicities, in four areas."""
    rng, rows = np.random.default_rng(22), []
    for k in range(60):
        for area in ("a", "b", "c", "d"):
            series = {}
            if k % 3 == 0:
                women, men = (50 * np.exp(0.1 * rng.normal(0, 1, 10) + gap) for gap in (0.1, -0.1))
                for name, y in (("", 0.52 * women + 0.48 * men), ("sex=female", women), ("sex=male", men)):
                    series[(f"x.{k}", "%", name)] = dict(zip(YEARS, np.round(y, k % 2), strict=True))
            else:
                groups = rng.poisson(10 ** rng.uniform(1, 4, (4, 1)), (4, 10))
                total = groups.sum(axis=0) + (rng.poisson(groups.sum(axis=0) * 0.02) if k % 2 else 0)
                series[(f"x.{k}", "people", "")] = dict(zip(YEARS, total.astype(float), strict=True))
                for g in range(4 if k % 3 == 1 else 2):
                    series[(f"x.{k}", "people", f"age=g{g}")] = dict(zip(YEARS, groups[g].astype(float), strict=True))
            rows += rows_of(series, area)
    table = check(pd.DataFrame(rows, columns=list(COLUMNS)))
    count = len(table.drop_duplicates(["area", "indicator", "breakdown"]))
    assert len(told(table)) < 0.02 * count


# --- figures at hand --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shipped():
    """Suspicions about every area that ships, country by country."""
    areas = pd.read_csv(ROOT / "data" / "areas.csv", dtype=str)
    found, count = [], 0
    for _, part in areas.groupby("country"):
        table = pd.concat([read_table(ROOT / "data" / f"{area}.csv") for area in part["area"]], ignore_index=True)
        count += len(table.drop_duplicates(["area", "indicator", "series", "unit", "breakdown"]))
        found.append(told(table))
    return pd.concat(found, ignore_index=True), count


REAL = {
    ("los-angeles", "8.5.2", "2016", "2018", "total outside its groups"),
    ("los-angeles", "1.3.1", "2014", "2020", "groups overlap"),
    ("los-angeles", "1.2.1", "2019", "2019", "stands apart"),
    ("united-states", "12.5.1", "2008", "2009", "stands apart"),
}


def cases(rows):
    return set(rows[["area", "indicator", "first", "last", "suspicion"]].itertuples(index=False, name=None))


def test_real_cases_in_the_figures_that_ship(shipped):
    rows, _ = shipped
    assert cases(rows) >= REAL
    overlap = rows[rows["suspicion"] == "groups overlap"]["text"].iloc[0]
    assert "without esl they add up exactly in 2 periods" in overlap


def test_what_is_listed_of_the_figures_that_ship_is_little(shipped):
    rows, count = shipped
    assert count > 700
    assert len(rows) < 0.02 * count
    assert not rows[["text", "innocent"]].map(lambda text: bool(BANNED.search(text))).to_numpy().any()


def raw(name):
    folder = RAW / name
    if not folder.is_dir():
        pytest.skip(f"no ../shared/sources/open-sdg/{name} beside the project")
    return told(read_open_sdg(folder, area=name).table)


def test_real_cases_in_los_angeles_repository():
    rows = raw("los-angeles")
    found = cases(rows.assign(area="la"))
    assert {
        ("la", "3.4.1", "2018", "2019", "parts do not add up"),  # half as many deaths: cancer is not in the total
        ("la", "3.1.2", "2016", "2016", "parts do not add up"),
        ("la", "3.3.2", "2012", "2016", "total in a rate"),  # incidence per 100,000 of 625, the sum of both sexes
        ("la", "8.2.1", "2013", "2019", "total in a rate"),  # a percent change of 147,178
        ("la", "8.9.1", "2017-07-01/P1Y", "2017-07-01/P1Y", "percent against proportion"),
        ("la", "8.8.1", "2016", "2017", "flat"),
        ("la", "3.8.2", "2010", "2011", "flat"),
        ("la", "3.4.3", "2009", "2019", "groups overlap"),  # "total attempted suicides" of 8.4
        ("la", "10.x.3", "2017", "2019", "duplicate of another series"),
        ("la", "1.2.1", "2021", "2022", "duplicate of another series"),
        ("la", "1.2.1", "2019", "2019", "stands apart"),
        ("la", "1.3.1", "2014", "2020", "groups overlap"),
        ("la", "8.5.2", "2016", "2018", "total outside its groups"),
    } <= found
    assert len(rows) <= 25, "among 914 series"


def test_real_cases_in_the_united_states_repository():
    rows = raw("united-states")
    found = cases(rows.assign(area="us"))
    assert {
        ("us", "4.5.1", "2007", "2015", "duplicate of another series"),  # literacy with the figures of enrolment
        ("us", "12.4.2", "2021", "2021", "total in a rate"),  # 36 million tons per capita
        ("us", "12.5.1", "2008", "2009", "stands apart"),
        ("us", "16.9.1", "2000", "2022", "placeholder"),  # 99 in every year
        ("us", "1.5.2", "2002", "2023", "repeated zeros"),
    } <= found
    assert len(rows) <= 12, "among 403 series"
