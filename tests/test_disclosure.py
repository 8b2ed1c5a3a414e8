"""Disclosure control: an attacker of the test's own tries to work hidden numbers out, and fails."""

import itertools
import time
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from vlr_analysis.disclosure import KINDS, THINGS, attack, hidden_table, nothing_hidden, protect
from vlr_analysis.errors import InputError
from vlr_analysis.observations import COLUMNS, KEY, check

NAN = float("nan")


def table_of(cells: dict, *, unit="people", series="people in need", indicator="1.3.1", status=None) -> pd.DataFrame:
    """Make a table of {(area, period, breakdown): value}, not checked; NaN is a number that the source hides."""
    rows = [
        {"area": area, "indicator": indicator, "series": series, "unit": unit, "period": period, "breakdown": group,
         "value": value, "low": NAN, "high": NAN, "source": "test",
         "status": (status or {}).get((area, period, group), "value" if value == value else "suppressed")}
        for (area, period, group), value in cells.items()
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(COLUMNS))


def one_way(total, *parts, **more) -> pd.DataFrame:
    groups = {("town", "2020", f"group={letter}"): value for letter, value in zip("abcdefgh", parts, strict=False)}
    return table_of({("town", "2020", ""): total, **groups}, **more)


def cells_of(table: pd.DataFrame) -> dict:
    return {
        tuple(row[:3]): row.value for row in table[["area", "period", "breakdown", "value"]].itertuples(index=False)
    }


def hidden_groups(log: pd.DataFrame) -> dict[str, str]:
    return dict(zip(log["breakdown"], log["kind"], strict=True))


# --- the attacker: knows what is shown, every sum, that nothing is below zero; shares no code with the module ---------


def ranges(shown: dict, sums: list, bounds: dict | None = None, *, whole: bool = True) -> dict:
    """Return the range of every cell without a value; `sums` are (total, parts); cells that nobody publishes count."""
    unknown = {}
    for cell in itertools.chain(shown, *([total, *parts] for total, parts in sums)):
        if np.isnan(shown.get(cell, NAN)):
            unknown.setdefault(cell, len(unknown))
    lines, right = [], []
    for total, parts in sums:
        line, rest = np.zeros(len(unknown)), 0.0
        for cell, sign in [(total, -1), *((part, 1) for part in parts)]:
            if cell in unknown:
                line[unknown[cell]] += sign
            else:
                rest -= sign * shown[cell]
        if line.any():
            lines.append(line)
            right.append(rest)
    limits = [(bounds or {}).get(cell, (0, None)) for cell in unknown]
    found = {}
    for cell, at in unknown.items():
        ends = []
        for sign in (1, -1):
            aim = sign * (np.arange(len(unknown)) == at)
            done = linprog(aim, A_eq=np.array(lines) if lines else None, b_eq=right or None, bounds=limits)
            assert done.status in (0, 3), done.message
            ends.append(sign * done.fun if done.status == 0 else sign * -np.inf)
        found[cell] = (np.ceil(ends[0] - 1e-6), np.floor(ends[1] + 1e-6)) if whole else tuple(ends)
    return found


def assert_safe(table, sums, *, threshold=5, known=None, exempt="already public", **options):
    """Protect a table, check the promises, and let the attacker try; return the log."""
    before = table.copy()
    public, log = protect(table, threshold=threshold, **options)
    pd.testing.assert_frame_equal(table, before)
    assert len(check(public)) == len(table)
    assert public[list(KEY)].equals(table[list(KEY)])
    shown = public["value"].notna()
    assert public.loc[shown, "value"].equals(table.loc[shown, "value"])
    assert not public["value"].between(1, threshold - 1).any()
    assert (public.loc[~shown, "status"] == "suppressed").all() and len(log) == (~shown).sum()
    values = {**(known or {}), **{cell: value for cell, value in cells_of(public).items() if value == value}}
    spared = {
        tuple(row[:3])
        for row in log.loc[log["reason"].str.contains(exempt), ["area", "period", "breakdown"]].itertuples(index=False)
    }
    hidden = set(cells_of(public)) - set(values)
    for cell, (low, high) in ranges({**dict.fromkeys(hidden, NAN), **values}, sums).items():
        if cell in hidden - spared:
            assert high - low >= threshold, (cell, low, high)
    return public, log


def crossed(rng, sizes, *, scale=6.0, area="town", period="2020") -> tuple[dict, list]:
    """Return a crossed table with all margins, and its sums."""
    names, kinds = ("age", "income", "sex")[: len(sizes)], [[f"c{i}" for i in range(size)] for size in sizes]
    inner = {combo: rng.integers(0, 2) * rng.geometric(1 / scale) for combo in itertools.product(*kinds)}

    def key(combo):
        return area, period, ";".join(f"{name}={kind}" for name, kind in zip(names, combo, strict=True) if kind)

    cells, sums = {}, []
    for combo in itertools.product(*([None, *kind] for kind in kinds)):
        match = (n for at, n in inner.items() if all(kind in (None, own) for kind, own in zip(combo, at, strict=True)))
        cells[key(combo)] = float(sum(match))
        sums += [
            (key(combo), [key((*combo[:at], kind, *combo[at + 1 :])) for kind in kinds[at]])
            for at in range(len(sizes))
            if combo[at] is None
        ]
    return cells, sums


def in_time_and_space(rng, areas, years, parts_of_year, sexes, pooled, scale=6.0) -> tuple[dict, list]:
    """Return areas of a city, parts of years, pooled years and sexes with all their sums."""
    atoms = [f"{year}{part}" for year in years for part in parts_of_year]
    inner = {key: rng.integers(0, 3) * rng.geometric(1 / scale) for key in itertools.product(areas, atoms, sexes)}
    times = {atom: [atom] for atom in atoms}
    times |= {str(year): [atom for atom in atoms if atom.startswith(str(year))] for year in years}
    if pooled:
        span = len(years) - 1
        for first in years[:2]:
            inside = [str(year) for year in range(first, first + span)]
            times[f"{first}-01-01/P{span}Y"] = [atom for atom in atoms if atom[:4] in inside]
    places, groups = {area: [area] for area in areas} | {"city": areas}, {f"sex={sex}": [sex] for sex in sexes}
    groups[""] = sexes
    cells, sums = {}, []
    for (area, own), (period, inside), (group, members) in itertools.product(
        *(d.items() for d in (places, times, groups))
    ):
        cells[area, period, group] = float(sum(inner[key] for key in itertools.product(own, inside, members)))
        if area == "city":
            sums.append(((area, period, group), [(part, period, group) for part in areas]))
        if len(inside) > 1:
            sums.append(((area, period, group), [(area, atom, group) for atom in inside]))
        if not group:
            sums.append(((area, period, ""), [(area, period, f"sex={sex}") for sex in sexes]))
    return cells, sums


# --- hidden cells cannot be worked out -------------------------------------------------------------


def test_the_attacker_of_this_test_can_subtract():
    sums = [(("town", "2020", ""), [("town", "2020", "group=a"), ("town", "2020", "group=b")])]
    naive = {("town", "2020", ""): 10, ("town", "2020", "group=a"): NAN, ("town", "2020", "group=b"): 7}
    assert ranges(naive, sums) == {("town", "2020", "group=a"): (3, 3)}
    naive["town", "2020", "group=b"] = NAN
    assert ranges(naive, sums)["town", "2020", "group=a"] == (0, 10)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.lists(st.integers(0, 25), min_size=2, max_size=6), st.sampled_from([2, 3, 5, 10]))
def test_rows(parts, threshold):
    table = one_way(float(sum(parts)), *map(float, parts))
    sums = [(("town", "2020", ""), [("town", "2020", f"group={letter}") for letter in "abcdef"[: len(parts)]])]
    public, log = assert_safe(table, sums, threshold=threshold)
    zeros = table[table["value"] == 0].merge(log[log["kind"] != "complementary"], on=list(KEY))
    assert zeros.empty
    again, log_again = protect(public, threshold=threshold)
    pd.testing.assert_frame_equal(again, public)
    assert set(log_again["kind"]) <= {"source"}


@pytest.mark.parametrize("seed", range(20))
def test_rows_and_columns(seed):
    rng = np.random.default_rng(seed)
    cells, sums = crossed(rng, rng.integers(2, 5, size=2))
    public, _ = assert_safe(table_of(cells), sums)
    pd.testing.assert_frame_equal(protect(public)[0], public)


@pytest.mark.parametrize("seed", range(4))
def test_three_dimensions_with_margins_that_nobody_published(seed):
    rng = np.random.default_rng(seed)
    cells, sums = crossed(rng, (2, 3, 2))
    published = {key: n for key, n in cells.items() if key[2].count("=") in (0, 3) or rng.random() < 0.6}
    assert_safe(table_of(published), sums)


@pytest.mark.parametrize("seed", range(6))
def test_quarters_years_pooled_years_sexes_and_the_areas_of_a_city(seed):
    rng = np.random.default_rng(seed)
    quarters = ["-Q1", "-Q2", "-Q3", "-Q4"]
    cells, sums = in_time_and_space(rng, ["east", "west"], [2018, 2019][: 1 + seed % 2], quarters, ["f", "m"], False)
    public, _ = assert_safe(table_of(cells), sums, parents={"city": ["east", "west"]})
    pd.testing.assert_frame_equal(protect(public, parents={"city": ["east", "west"]})[0], public)


@pytest.mark.parametrize("seed", range(8))
def test_pooled_years_that_overlap(seed):
    rng = np.random.default_rng(seed)
    cells, sums = in_time_and_space(rng, ["east"], [2016, 2017, 2018, 2019], [""], ["f", "m"], True)
    cells = {key: n for key, n in cells.items() if key[0] == "east"}
    assert_safe(table_of(cells), [(total, parts) for total, parts in sums if total[0] == "east"])


def test_rolling_years_give_a_year_away_that_only_they_hold():
    cells = {("town", "2016-01-01/P2Y", ""): 50.0, ("town", "2017-01-01/P2Y", ""): 60.0, ("town", "2016", ""): 3.0,
             ("town", "2017", ""): 47.0, ("town", "2018", ""): 13.0}  # fmt: skip
    sums = [(("town", "2016-01-01/P2Y", ""), [("town", "2016", ""), ("town", "2017", "")]),
            (("town", "2017-01-01/P2Y", ""), [("town", "2017", ""), ("town", "2018", "")])]  # fmt: skip
    _, log = assert_safe(table_of(cells), sums)
    assert (log["kind"] == "complementary").sum() >= 2  # 2017 alone would follow from 2018


def test_months_and_their_year_also_where_the_year_is_their_mean():
    months = {("town", f"2020-{month:02}", ""): 20.0 + month for month in range(1, 13)}
    months["town", "2020-04", ""] = 4.0
    for year in (sum(months.values()), sum(months.values()) / 12):
        _, log = protect(table_of({**months, ("town", "2020", ""): year}))
        assert Counter(log["kind"]) == {"primary": 1, "complementary": 1}
    stock = {**months, ("town", "2020", ""): 90.0}  # neither a sum nor a mean
    assert Counter(protect(table_of(stock))[1]["kind"]) == {"primary": 1}


@pytest.mark.parametrize("seed", range(10))
def test_a_previous_release(seed):
    """The newer release has an area more; what the older one shows is known, what it hid stays hidden."""
    rng = np.random.default_rng(seed)
    cells, sums = crossed(rng, (3, 3))
    old_cells = {key: n for key, n in cells.items() if key[2].count("=") < 2}
    old_sums = [item for item in sums if item[0] in old_cells and item[1][0] in old_cells]
    previous, _ = assert_safe(table_of(old_cells), old_sums)
    known = {cell: n for cell, n in cells_of(previous).items() if n == n}
    public, log = assert_safe(
        table_of(cells), sums, known=known, previous=previous, exempt="already public|can still be narrowed"
    )
    chosen = log[(log["kind"] == "complementary") & ~log["reason"].str.contains("can still")]
    shown_before = {cell[2] for cell in known}
    if not log["reason"].str.contains("can still").any():
        assert not set(chosen["breakdown"]) & shown_before
    pd.testing.assert_frame_equal(protect(public, previous=previous)[0], public)


def test_what_is_public_already_is_said_and_is_no_partner():
    table = one_way(60.0, 3.0, 9.0, 20.0, 28.0)
    previous = one_way(60.0, NAN, 9.0, NAN, 28.0)
    _, log = protect(table, previous=previous)
    assert hidden_groups(log) == {"group=a": "primary", "group=c": "complementary"}
    _, log = protect(table, previous=one_way(60.0, 3.0, 9.0, 20.0, 28.0))
    assert log["reason"].tolist() == ["fewer than 5, but not zero; already public in the previous release"]
    _, log = protect(table, previous=one_way(63.0, 6.0, 9.0, 20.0, 28.0))
    assert log["reason"].str.contains("an earlier figure is public in the previous release").sum() == 1
    assert "already public" not in " ".join(log["reason"])


def test_a_cell_that_cannot_be_saved_is_said_and_does_not_keep_others_from_being_saved():
    groups = {"": 60.0, "group=a": NAN, "group=b": 10.0, "group=c": 20.0, "group=a;sex=f": 3.0, "group=a;sex=m": 12.0,
              "group=a;sex=x": 15.0}  # fmt: skip
    previous = table_of({("town", "2020", group): groups[group] for group in ("", "group=b", "group=c")})
    _, log = protect(table_of({("town", "2020", group): n for group, n in groups.items()}), previous=previous)
    reasons = dict(zip(log["breakdown"], log["reason"], strict=True))
    assert reasons["group=a"].endswith("it can still be narrowed down, nothing is left to hide with it")
    assert hidden_groups(log)["group=a;sex=m"] == "complementary"
    assert not any("can still" in reason for group, reason in reasons.items() if "sex" in group)


def test_a_margin_of_the_previous_release_counts():
    table = table_of({("town", "2020", "group=a"): 3.0, ("town", "2020", "group=b"): 9.0})
    assert len(protect(table)[1]) == 1  # no total, nothing to subtract from
    previous = table_of({("town", "2020", ""): 12.0})
    assert hidden_groups(protect(table, previous=previous)[1]) == {"group=a": "primary", "group=b": "complementary"}


def test_a_cell_that_no_row_holds_links_two_sums():
    sizes = {"age=a": 33.0, "age=b": 27.0, "sex=f": 13.0, "age=a;sex=f": 3.0, "age=a;sex=m": 30.0, "age=b;sex=m": 17.0}
    sums = [("age=a", ["age=a;sex=f", "age=a;sex=m"]), ("age=b", ["age=b;sex=f", "age=b;sex=m"]),
            ("sex=f", ["age=a;sex=f", "age=b;sex=f"])]  # fmt: skip
    where = [((("town", "2020", total)), [("town", "2020", part) for part in parts]) for total, parts in sums]
    assert_safe(table_of({("town", "2020", group): n for group, n in sizes.items()}), where)


def test_an_area_whose_own_number_nobody_published_links_its_parts():
    cells = {("city", "2020", ""): 40.0, ("city", "2020", "sex=m"): 17.0, ("east", "2020", "sex=f"): 3.0,
             ("west", "2020", "sex=f"): 20.0}  # fmt: skip
    sums = [(("city", "2020", ""), [("city", "2020", "sex=f"), ("city", "2020", "sex=m")]),
            (("city", "2020", "sex=f"), [("east", "2020", "sex=f"), ("west", "2020", "sex=f")])]  # fmt: skip
    assert_safe(table_of(cells), sums, parents={"city": ["east", "west"]})


def test_a_part_whose_number_nobody_published_links_the_others():
    cells = {("city", "2020", "sex=f"): 23.0, ("east", "2020", ""): 37.0, ("east", "2020", "sex=m"): 17.0,
             ("west", "2020", "sex=f"): 3.0}  # fmt: skip
    sums = [(("east", "2020", ""), [("east", "2020", "sex=f"), ("east", "2020", "sex=m")]),
            (("city", "2020", "sex=f"), [("east", "2020", "sex=f"), ("west", "2020", "sex=f")])]  # fmt: skip
    assert_safe(table_of(cells), sums, parents={"city": ["east", "west"]})


def test_a_quarter_that_nobody_published_links_the_year_and_the_groups():
    quarters = [f"2019-Q{number}" for number in range(1, 5)]
    cells = {("town", quarter, "sex=f"): n for quarter, n in zip(quarters[1:], (6.0, 8.0, 9.0), strict=True)}
    cells |= {("town", "2019", "sex=f"): 30.0, ("town", "2019-Q1", ""): 10.0, ("town", "2019-Q1", "sex=m"): 3.0}
    sums = [(("town", "2019", "sex=f"), [("town", quarter, "sex=f") for quarter in quarters]),
            (("town", "2019-Q1", ""), [("town", "2019-Q1", "sex=f"), ("town", "2019-Q1", "sex=m")])]  # fmt: skip
    assert_safe(table_of(cells), sums)


def test_parent_area():
    cells = {
        ("city", "2020", ""): 40.0,
        ("east", "2020", ""): 2.0,
        ("west", "2020", ""): 8.0,
        ("north", "2020", ""): 30.0,
    }
    _, log = protect(table_of(cells), parents={"city": ["east", "west", "north"]})
    assert dict(zip(log["area"], log["kind"], strict=True)) == {"east": "primary", "west": "complementary"}
    assert "the parts of city and their total" in log["reason"].iloc[1]
    assert len(protect(table_of(cells))[1]) == 1


@pytest.mark.parametrize(
    ("seed", "sizes", "threshold"),
    [*((seed, (3, 3), 5) for seed in range(10)), *((seed, (3, 3, 2), 10) for seed in (1, 4, 5))],
)
def test_who_knows_which_cells_are_small_is_left_with_two_numbers(seed, sizes, threshold):
    """The log names kinds; with them a reader has narrower bounds."""
    cells, sums = crossed(np.random.default_rng(seed), sizes, scale=4.0)
    public, log = protect(table_of(cells), threshold=threshold)
    kinds = {tuple(row[:3]): row.kind for row in log[["area", "period", "breakdown", "kind"]].itertuples(index=False)}
    bounds = {cell: (1, threshold - 1) for cell, kind in kinds.items() if kind == "primary"}
    large = [cell for cell, kind in kinds.items() if kind == "complementary" and cells[cell] >= threshold]
    bounds |= dict.fromkeys(large, (threshold, None))
    for cell, (low, high) in ranges(cells_of(public), sums, bounds).items():
        assert kinds[cell] != "primary" or high > low, cell


# --- what is chosen ---------------------------------------------------------------------------------


def test_the_smallest_part_is_the_partner_and_the_total_stays():
    public, log = protect(one_way(69.0, 3.0, 9.0, 7.0, 50.0, 0.0))
    assert hidden_groups(log) == {"group=a": "primary", "group=c": "complementary"}
    assert log["reason"].tolist() == [
        "fewer than 5, but not zero",
        "together with the groups by group and their total it would give another hidden number away",
    ]
    assert public.set_index("breakdown")["value"].loc[["", "group=e"]].tolist() == [69.0, 0.0]


def test_a_total_is_hidden_only_where_nothing_else_helps():
    assert hidden_groups(protect(one_way(6.0, 1.0, 5.0))[1]) == {
        "": "complementary", "group=a": "primary", "group=b": "complementary",
    }  # fmt: skip
    assert hidden_groups(protect(one_way(7.0, 2.0, 5.0))[1]) == {"group=a": "primary", "group=b": "complementary"}


@pytest.mark.parametrize("seed", [0, 2, 44, 70])
def test_no_total_and_no_zero_is_hidden_in_vain(seed):
    """Each was needed: with it shown again, something small can be narrowed down, by the figures or by the log."""
    cells, sums = crossed(np.random.default_rng(seed), (3, 3))
    public, log = protect(table_of(cells))
    kinds = {tuple(row[:3]): row.kind for row in log[["area", "period", "breakdown", "kind"]].itertuples(index=False)}
    asked = [
        cell for cell, kind in kinds.items() if kind == "complementary" and (cells[cell] == 0 or ";" not in cell[2])
    ]
    for cell in asked:
        shown = {**cells_of(public), cell: cells[cell]}
        told = {other: (1, 4) for other, kind in kinds.items() if kind == "primary"}
        told |= {other: (5, None) for other, kind in kinds.items() if kind == "complementary" and cells[other] >= 5}
        plain, log_read = (ranges(shown, sums, bounds) for bounds in (None, told))
        narrow = [other for other, (low, high) in plain.items() if high - low < 5]
        assert narrow or any(low == high for other, (low, high) in log_read.items() if kinds[other] == "primary"), cell


def test_zero_is_a_value_and_stays():
    table = one_way(12.0, 0.0, 12.0, 0.0)
    public, log = protect(table)
    pd.testing.assert_frame_equal(public, table)
    assert log.empty and list(log.columns) == list(nothing_hidden().columns) == [*KEY, "kind", "reason"]


def test_groups_that_overlap_or_leave_a_rest_are_no_sum():
    assert len(protect(one_way(100.0, 3.0, 70.0, 80.0))[1]) == 1
    assert len(protect(one_way(100.0, 3.0, 40.0))[1]) == 1
    # a rest so small that it leaves no room is as good as none
    assert len(protect(one_way(100.0, 3.0, 95.5))[1]) == 2


def test_a_subset_of_groups_that_overlap_can_be_a_sum():
    _, log = protect(one_way(200.0, 4.0, 80.0, 116.0, 150.0))
    assert hidden_groups(log) == {"group=a": "primary", "group=b": "complementary"}


def test_rounded_parts_are_a_sum():
    assert len(protect(one_way(2000.0, 4.0, 990.0, 1000.0))[1]) == 2
    assert len(protect(one_way(1999.6, 4.0, 995.0, 1000.2))[1]) == 2


@pytest.mark.parametrize("hidden", range(4))
def test_what_the_source_hides_gets_a_partner(hidden):
    parts = [30.0, 50.0, 70.0]
    numbers = [150.0, *parts]
    numbers[hidden] = NAN
    public, log = protect(one_way(*numbers))
    assert Counter(log["kind"]) == {"source": 1, "complementary": 1}
    assert (public["status"] == "suppressed").sum() == 2


def test_hidden_groups_that_do_not_add_up_in_other_years_are_left_alone():
    cells = {("town", str(year), group): n for year in range(2015, 2020)
             for group, n in (("", 100.0), ("group=a", 60.0), ("group=b", 70.0))}  # fmt: skip
    cells["town", "2019", "group=a"] = NAN
    assert len(protect(table_of(cells))[1]) == 1


def test_a_missing_number_is_not_a_hidden_one():
    table = one_way(60.0, 3.0, NAN, 30.0, status={("town", "2020", "group=b"): "missing"})
    public, log = protect(table)
    assert public.set_index("breakdown")["status"].to_dict()["group=b"] == "missing"
    assert hidden_groups(log) == {"group=a": "primary"}


@pytest.mark.parametrize(
    ("unit", "hides"),
    [("people", True), ("Crimes", True), ("households", True), ("refugees", True), ("boardings", False),
     ("passengers", False), ("stations", False), ("index", False), ("thousands of people", False),
     ("arrests per 10,000 people", False), ("£", False), ("minutes", False)],
)  # fmt: skip
def test_units(unit, hides):
    assert len(protect(one_way(40.0, 3.0, 37.0, unit=unit))[1]) == 2 * hides


def test_units_of_things_and_of_fractions():
    assert "boardings" in THINGS
    assert len(protect(one_way(40.5, 3.0, 37.5, unit="refugees"))[1]) == 0  # not a count
    # what the source hides of things is kept hidden too
    assert Counter(protect(one_way(40.0, 3.0, NAN, unit="boardings"))[1]["kind"]) == {"source": 1, "complementary": 1}


# --- rates -------------------------------------------------------------------------------------------


def people(**groups) -> pd.DataFrame:
    rows = [{"area": "town", "breakdown": "" if name == "all" else f"group={name}", "period": "2020", "value": n}
            for name, n in groups.items()]  # fmt: skip
    return pd.DataFrame(rows)


def test_a_rate_on_few_people_is_hidden():
    table = one_way(20.0, 50.0, 0.0, 21.0, unit="%")
    _, log = protect(table, populations=people(a=19, b=12))
    assert hidden_groups(log) == {"group=a": "denominator", "group=b": "denominator"}
    assert set(log["reason"]) == {"a rate on fewer people than the minimum"}
    assert protect(table, populations=people(a=19, b=12), minimum_denominator=10)[1].empty
    assert hidden_groups(protect(table, threshold=4, populations=people(a=19, b=12))[1]) == {"group=b": "denominator"}
    assert protect(table)[1].empty
    assert protect(table, populations=people(a=20, b=2000))[1].empty


@pytest.mark.parametrize("seed", range(25))
def test_a_hidden_share_does_not_follow_from_the_total_and_the_populations(seed):
    rng = np.random.default_rng(seed)
    names, sizes = "abcdefg"[: rng.integers(2, 7)], rng.integers(8, 400, size=7).astype(float)
    shares, weights = rng.uniform(2, 98, size=len(names)), sizes[: len(names)]
    total = float(weights @ shares / weights.sum())
    shown = shares.copy()
    shown[rng.integers(len(names))] = NAN
    populations = people(**dict(zip(names, weights, strict=True)), all=weights.sum())
    public, _ = protect(one_way(total, *shown, unit="%"), populations=populations)
    left = public.set_index("breakdown")["value"]
    groups = [f"group={name}" for name in names]
    hidden = [at for at, group in enumerate(groups) if np.isnan(left[group])]
    assert len(hidden) >= 2 or np.isnan(left[""])
    if np.isnan(left[""]):
        return
    # people counted among the hidden groups together, and in each group alone
    rest = weights.sum() * total / 100 - sum(
        weights[at] * left[group] / 100 for at, group in enumerate(groups) if at not in hidden
    )
    for at in hidden:
        others = sum(weights[other] for other in hidden if other != at)
        width = min(weights[at], rest) - max(0.0, rest - others)
        assert width >= min(5, weights[at] / 2) - 1e-6, (groups[at], width)
    pd.testing.assert_frame_equal(protect(public, populations=populations)[0], public)


@pytest.mark.parametrize("seed", range(12))
def test_shares_of_groups_in_areas_of_a_city(seed):
    """A reader knows all populations; shares times people are whole parts of a sum, between none and all."""
    rng = np.random.default_rng(seed)
    size = {(area, sex): float(rng.integers(30, 300)) for area in ("east", "west", "north") for sex in ("f", "m")}
    counted = {key: n * rng.uniform(0.7, 1.0) for key, n in size.items()}
    weights, people_in, shares = {}, {}, {}
    for area, sex in itertools.product(("city", "east", "west", "north"), ("", "f", "m")):
        inside = [key for key in size if area in ("city", key[0]) and sex in ("", key[1])]
        cell = (area, "2020", f"sex={sex}" if sex else "")
        weights[cell] = sum(size[key] for key in inside)
        people_in[cell] = sum(counted[key] for key in inside)
        shares[cell] = 100 * people_in[cell] / weights[cell]
    shown = shares | dict.fromkeys([list(shares)[at] for at in rng.integers(12, size=2)], NAN)
    populations = pd.DataFrame(
        [(*cell, n) for cell, n in weights.items()], columns=["area", "period", "breakdown", "value"]
    )
    options = {"populations": populations, "parents": {"city": ["east", "west", "north"]}}
    public, log = protect(table_of(shown, unit="%"), **options)
    sums = [
        ((area, "2020", ""), [(area, "2020", "sex=f"), (area, "2020", "sex=m")])
        for area in ("city", "east", "west", "north")
    ]
    sums += [
        (("city", "2020", group), [(area, "2020", group) for area in ("east", "west", "north")])
        for group in ("", "sex=f", "sex=m")
    ]
    left = {cell: n if np.isnan(n) else n * weights[cell] / 100 for cell, n in cells_of(public).items()}
    bounds = {cell: (0, n) for cell, n in weights.items()}
    assert len(log) >= 4 and not log["reason"].str.contains("can still").any()
    for cell, (low, high) in ranges(left, sums, bounds, whole=False).items():
        assert high - low >= 5 - 1e-6, (cell, low, high)
    pd.testing.assert_frame_equal(protect(public, **options)[0], public)


def test_shares_that_do_not_average_to_the_total_are_no_sum():
    table = one_way(90.0, 50.0, 20.0, 30.0, unit="%")
    assert hidden_groups(protect(table, populations=people(a=12, b=100, c=100))[1]) == {"group=a": "denominator"}
    table = one_way(26.0, 40.0, 20.0, 30.0, unit="%")
    assert len(protect(table, populations=people(a=12, b=100, c=100))[1]) == 2


def test_a_share_cannot_pass_its_end():
    """Of 300 people 299.7: whichever groups are hidden, none is below 99.7 %, until the total is hidden too."""
    populations = people(a=100, b=100, c=100)
    assert "" in hidden_groups(protect(one_way(99.9, NAN, 99.8, 99.9, unit="%"), populations=populations)[1])
    assert "" not in hidden_groups(protect(one_way(59.9, NAN, 59.8, 59.9, unit="%"), populations=populations)[1])


def test_what_the_log_tells_is_reckoned_in_people_also_for_rates():
    two_and_six = one_way(0.04, 0.02, 0.06, unit="per 1,000")
    found = hidden_groups(protect(two_and_six, populations=people(a=100_000, b=100_000))[1])
    assert found == {"group=a": "primary", "group=b": "complementary"}
    four_and_four = one_way(0.04, 0.04, 0.04, unit="per 1,000")
    found = hidden_groups(protect(four_and_four, populations=people(a=100_000, b=100_000))[1])
    assert found == {"": "complementary", "group=a": "primary", "group=b": "primary"}


def test_a_share_without_populations_cannot_be_checked():
    assert len(protect(one_way(40.0, NAN, 37.0, 50.0, unit="%"))[1]) == 1


def count_and_rate(count, rate, *, unit="per 100,000", periods=("2020",), **more) -> pd.DataFrame:
    cells = {("town", period, "group=a"): n for period, n in zip(periods, count, strict=True)}
    rates = {("town", period, "group=a"): n for period, n in zip(periods, rate, strict=True)}
    return check(pd.concat([table_of(cells), table_of(rates, unit=unit, series="rate", **more)]))


def test_a_rate_goes_with_the_count_that_it_gives_away():
    table = count_and_rate([3.0], [60.0])
    assert len(protect(table)[1]) == 1  # nobody knows the population
    _, log = protect(table, populations=people(a=10000))
    assert log["reason"].tolist() == [
        "fewer than 5, but not zero", "together with the population it would give another hidden number away",
    ]  # fmt: skip
    residents = table_of({("town", "2020", "group=a"): 10000.0}, series="population", indicator="x.1")
    assert Counter(protect(check(pd.concat([table, residents])))[1]["kind"]) == {"primary": 1, "complementary": 1}
    other = count_and_rate([3.0], [60.0], indicator="16.1.1")
    assert len(protect(other, populations=people(a=10000))[1]) == 1


def test_a_rate_that_stands_for_few_people_is_hidden_with_a_partner():
    """Groups of 1000, 2000 and 3000 people: 3, 20 and 60 people, 3 in a thousand of 9000 are 27."""
    numbers = one_way(83 / 6, 3.0, 10.0, 20.0, unit="per 1,000")
    _, log = protect(numbers, populations=people(a=1000, b=2000, c=3000))
    assert hidden_groups(log) == {"group=a": "primary", "group=b": "complementary"}
    assert log["reason"].iloc[0] == "a rate that stands for fewer than 5 people"
    assert protect(numbers, populations=people(a=9000))[1].empty and protect(numbers)[1].empty
    assert protect(one_way(8.0, 0.0, 10.0, unit="per 1,000"), populations=people(a=1000))[1].empty


def test_a_count_goes_with_the_rate_that_the_source_hides():
    _, log = protect(count_and_rate([40.0], [NAN]), populations=people(a=10000))
    assert log["kind"].tolist() == ["complementary", "source"]


def test_counts_and_rates_of_other_years_tell_the_population():
    years = ("2018", "2019", "2020")
    assert len(protect(count_and_rate([30.0, 31.0, 3.0], [300.0, 305.0, 29.0], periods=years))[1]) == 2
    assert len(protect(count_and_rate([30.0, 60.0, 3.0], [300.0, 305.0, 29.0], periods=years))[1]) == 1


def test_a_hidden_population_does_not_follow_from_count_and_rate():
    parts = {"a": 4.0, "b": 30.0, "c": 900.0}
    cells = {("town", "2020", f"group={name}"): n for name, n in parts.items()} | {("town", "2020", ""): 934.0}
    residents = table_of(cells, series="population", indicator="x.1")
    both = [
        table_of({("town", "2020", "group=b"): 12.0}),
        table_of({("town", "2020", "group=b"): 40.0}, unit="%", series="r"),
    ]
    _, log = protect(check(pd.concat([residents, *both])), minimum_denominator=1)
    assert log[["indicator", "breakdown", "unit"]].to_numpy().tolist() == [
        ["1.3.1", "group=b", "%"], ["x.1", "group=a", "people"], ["x.1", "group=b", "people"],
    ]  # fmt: skip


# --- log, messages, speed ---------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(10))
def test_the_log_holds_no_number_that_is_hidden(seed):
    rng = np.random.default_rng(seed)
    cells, _ = crossed(rng, (3, 4), scale=40.0)
    table = table_of({key: n * 1.0 for key, n in cells.items()})
    table = check(pd.concat([table, one_way(400.0, 17.0, NAN, 383.0, indicator="x.2", unit="boardings")]))
    public, log = protect(table)
    assert set(log.columns) == {*KEY, "kind", "reason"} and set(log["kind"]) <= set(KINDS)
    values = table.merge(log, on=list(KEY))
    for value, reason in zip(values["value"], values["reason"], strict=True):
        assert not np.isfinite(value) or f"{value:g}" not in reason.replace("fewer than 5", "")
    assert public["value"].notna().sum() + len(log) == len(table)


def test_the_log_is_shown_in_order():
    tables = [one_way(40.0, 3.0, 37.0, indicator=code) for code in ("1.10.1", "1.2.1")]
    log = protect(check(pd.concat(tables)))[1]
    shown = hidden_table(log)
    assert shown["indicator"].tolist() == ["1.2.1", "1.2.1", "1.10.1", "1.10.1"]
    assert shown["reason"].iloc[0] == "Fewer than 5, but not zero"
    assert hidden_table(nothing_hidden()).empty


def test_interval_and_status_are_hidden_with_the_value():
    table = one_way(40.0, 3.0, 37.0).assign(low=1.0, high=50.0, status="provisional")
    public, _ = protect(table)
    gone = public["value"].isna()
    assert public.loc[gone, ["low", "high"]].isna().all(axis=None) and set(public.loc[gone, "status"]) == {"suppressed"}
    assert set(public.loc[~gone, "status"]) == {"provisional"}


def test_order_and_index_of_the_table_are_kept():
    table = one_way(69.0, 3.0, 9.0, 7.0, 50.0).sample(frac=1, random_state=1)
    public, _ = protect(table)
    assert public.index.equals(table.index)
    pd.testing.assert_frame_equal(public.sort_index(), protect(table.sort_index())[0])


def test_attack_says_how_far_a_cell_can_be_narrowed_down():
    naive = one_way(10.0, NAN, 7.0)
    found = attack(naive)
    assert found[["low", "high", "people"]].to_numpy().tolist() == [[3.0, 3.0, 1.0]]
    public, _ = protect(one_way(10.0, 3.0, 7.0))
    found = attack(public, original=one_way(10.0, 3.0, 7.0))
    assert found[["breakdown", "low", "high"]].to_numpy().tolist() == [["group=a", 0.0, 10.0], ["group=b", 0.0, 10.0]]
    assert attack(one_way(10.0, 3.0, 7.0)).empty
    rounded = one_way(1999.6, 4.0, 995.0, 1000.2)  # the reader is given the rounding
    hidden = rounded.assign(value=rounded["value"].where(rounded["value"] != 4), status="value")
    hidden.loc[hidden["value"].isna(), "status"] = "suppressed"
    np.testing.assert_allclose(attack(hidden, original=rounded)[["low", "high"]], 4.0)
    assert attack(one_way(NAN, 3.0, 7.0), previous=one_way(10.0, 3.0, 7.0))["high"].tolist() == [10.0]


def test_bad_input_is_named_all_at_once():
    table = one_way(10.0, 3.0, 7.0)
    with pytest.raises(InputError) as error:
        protect(
            table,
            threshold=0,
            minimum_denominator=2.5,
            populations=pd.DataFrame({"area": []}),
            previous=table[["area"]],
        )
    text = str(error.value)
    assert "disclosure: 4 problems" in text and "threshold: found 0; expected a whole number of at least 1" in text
    assert "populations: found no column breakdown, period, value" in text and "minimum_denominator: found 2.5" in text


def test_speed():
    rng = np.random.default_rng(0)
    keys = [("town", str(1900 + year), f"group={group}") for year in range(100) for group in range(100)]
    table = table_of(dict(zip(keys, rng.integers(10, 1000, size=len(keys)).astype(float), strict=True)))
    start = time.process_time()
    public, log = protect(table)
    assert time.process_time() - start < 0.2 and log.empty and public.equals(table)
    cells = {}
    for year in range(2000, 2100):
        parts = rng.integers(1, 30, size=6).astype(float)
        cells |= {("town", str(year), f"group={at}"): n for at, n in enumerate(parts)} | {
            ("town", str(year), ""): parts.sum()
        }
    start = time.process_time()
    _, log = protect(table_of(cells))
    assert len(log) > 100 and time.process_time() - start < 3


# --- the figures that ship ---------------------------------------------------------------------------

AREAS = sorted(pd.read_csv(ROOT / "data" / "areas.csv")["area"])


@pytest.mark.parametrize("area", AREAS)
def test_figures_that_ship(area):
    text = pd.read_csv(ROOT / "data" / f"{area}.csv", dtype=str, keep_default_na=False)
    numbers = {name: pd.to_numeric(text[name].replace("", None)) for name in ("value", "low", "high")}
    table = check(text.assign(**numbers))
    public, log = protect(table)
    check(public)
    pd.testing.assert_frame_equal(protect(public)[0], public)
    assert not log["reason"].str.contains("can still").any()
    found = attack(public, original=table)
    counts = found["people"] == 1
    assert (found["high"] - found["low"])[counts].ge(5).all()
    # only the made-up city has counts below the threshold, and a number that its source hides
    assert (len(log) > 0) == (area == "porto-exemplo")
    if area == "porto-exemplo":
        assert {"primary", "source", "complementary"} <= set(log["kind"])
        assert (table.merge(log[log["kind"] == "primary"], on=list(KEY))["value"] < 5).all()
