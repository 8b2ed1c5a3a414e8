"""A city and its tables: its figures, its comparators', and how every series is to be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property, lru_cache
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from vlr_analysis import catalogue, disclosure, disclosure_voices
from vlr_analysis.errors import InputError, Problem, raise_if_any
from vlr_analysis.groups import regrouped
from vlr_analysis.language import checked, coded, country, gettext, told, told_of
from vlr_analysis.observations import KEY as ROW_KEY
from vlr_analysis.params import DATA, PARAMS, Choice, Parameters, city_ids, data_of, is_city, read_parameters
from vlr_analysis.periods import year_of
from vlr_analysis.project import find_root
from vlr_analysis.sources import kit, template_sheet
from vlr_analysis.sources import voices as registers
from vlr_analysis.sources.shared import once_a_run

DEFINITION_KEY = ["indicator", "series", "unit"]
PAIR_COLUMNS = [*DEFINITION_KEY, *(f"other_{name}" for name in DEFINITION_KEY), "declared", "why"]


@dataclass(frozen=True, repr=False)
class City:
    """One city: its checked parameters, and its tables, read when first asked for.

    Attributes
    ----------
    parameters : Parameters
    root : Path
        Folder of the project, the one that holds `params/` and `data/`.
    internal : bool
        Whether small numbers are shown: for people inside the administration only. By default they are hidden before
        anything can read them.
    """

    parameters: Parameters
    root: Path
    internal: bool = False

    def __getattr__(self, name: str) -> Any:
        """Give the parameters as attributes: `city.name`, `city.horizon`."""
        if name in Parameters.model_fields:
            return getattr(self.parameters, name)
        raise AttributeError(f"a City has no {name!r}")

    def __repr__(self) -> str:
        return f"City({self.parameters.id!r})"

    def _repr_html_(self) -> str:
        own = self.observations
        years = {"first": own["period"].str[:4].min(), "last": own["period"].str[:4].max()}
        beside = ", ".join(name for area, name in self.areas.items() if area != self.parameters.id)
        name = told("{city} (made up)", city=self.name) if self.made_up else self.name
        text = told_of(
            "{city}, {country}: {n} series, {first} to {last}; beside it {beside}.",
            "{city}, {country}: {n} series, {first} to {last}; beside it {beside}.",
            len(own[DEFINITION_KEY].drop_duplicates()),
            city=name,
            country=country(self.country),
            beside=beside or gettext("no other area"),
            **years,
        )
        return f"<p class='city'>{escape(text)}</p>"

    @property
    def shared_by(self) -> str:
        """What tells this city's tables apart from those of others, for `shared.once_a_run`."""
        return f"{self.root} {self.internal} {self.parameters.model_dump_json()}"

    @property
    def comparators(self) -> tuple[str, ...]:
        """Nation and peers, nation first."""
        return (*self.nation, *(peer for peer in self.peers if peer not in self.nation))

    @cached_property
    def observations(self) -> pd.DataFrame:
        """The city's own observations, all goals chosen in the parameters; small numbers hidden unless internal."""
        return self._guarded[0]

    @property
    def hidden(self) -> pd.DataFrame:
        """What was hidden of the observations and why: one row a cell, from `disclosure.protect`."""
        return self._guarded[1]

    @cached_property
    def _raw(self) -> pd.DataFrame:
        """The city's figures as they lie in its file: for what comes before the disclosure control alone."""
        return _read_area(self.root, self.parameters.id, self.data or "")

    @once_a_run
    def _guarded(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        table = self._of_chosen_goals(self._raw)
        if self.internal:
            return table, disclosure.nothing_hidden()
        public = _matching(table, [choice for choice in self.indicators if choice.published])
        populations = self._raw[self._raw["indicator"] == self.population] if self.population else None
        # What is public already is known to everybody: it is not hidden, and the rest is hidden with it in mind.
        known = [table[public]]
        if self.previous_release:
            known.append(kit.read_table(self.root / self.previous_release))
        # Groups under indicators of their own are looked at beside their total: together they tell each other.
        beside = regrouped(table, labels_of(self))
        guarded, log = disclosure.protect(
            beside, threshold=self.disclosure_threshold, populations=populations, previous=pd.concat(known)
        )
        out, hides = table.copy(), ~public & (guarded["status"] == "suppressed")
        out.loc[hides, ["value", "low", "high"]] = np.nan
        out.loc[hides, "status"] = "suppressed"
        return out, log[_among(log, beside[hides])].reset_index(drop=True)

    @once_a_run
    def populations(self) -> pd.DataFrame | None:
        """Residents by group, where the parameters name the series that counts them; also if its goal is left out."""
        if self.population is None:
            return None
        rows = self._raw[self._raw["indicator"] == self.population]
        return rows if self.internal else disclosure.protect(rows, threshold=self.disclosure_threshold)[0]

    @property
    def voices(self) -> pd.DataFrame:
        """The register of evidence; no rows where there is none, small numbers hidden unless internal."""
        return self._heard[0]

    @property
    def hidden_voices(self) -> pd.DataFrame:
        """What was hidden of the register and why, from `disclosure_voices.protected`."""
        return self._heard[1]

    @once_a_run
    def _heard(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        path = self.root / (self.parameters.voices or f"{DATA}/voices/{self.parameters.id}.csv")
        known = set(self.all_sources["source"])
        register = registers.read_voices(path, sources=known) if path.is_file() else registers.empty()
        if self.internal:
            return register, disclosure_voices.nothing_hidden()
        return disclosure_voices.protected(register, self.disclosure_threshold)

    @property
    def reference_year(self) -> int:
        """Newest year of the city's own figures: ages are counted from it, never from a clock."""
        return max((year_of(period) for period in self.observations["period"].unique()), default=self.baseline_year)

    @once_a_run
    def around(self) -> pd.DataFrame:
        """Observations of the nation and the peers, in the order of the parameters."""
        tables = [_shown(self, area) for area in self.comparators]
        return self._of_chosen_goals(pd.concat(tables, ignore_index=True)) if tables else self.observations.iloc[:0]

    @once_a_run
    def definitions(self) -> pd.DataFrame:
        """Label, goal, desired direction, target and scale of every series, city's and comparators'."""
        return _definitions(self, pd.concat([self.observations, self.around], ignore_index=True))

    def row_numbers(self, file: str) -> dict[tuple[str, ...], int]:
        """Return the row of a data file (below the project) of each observation, from `kit.row_numbers`; read once."""
        if file not in self._numbered:
            self._numbered[file] = kit.row_numbers(self.root / file)
        return self._numbered[file]

    @cached_property
    def _numbered(self) -> dict[str, dict[tuple[str, ...], int]]:
        return {}

    @cached_property
    def areas(self) -> dict[str, str]:
        """Name of each area that this review shows, by its id."""
        known = area_names(self.root)
        return {area: known.get(area, area) for area in (self.parameters.id, *self.comparators)} | {
            self.parameters.id: self.name
        }

    @cached_property
    def sources(self) -> pd.DataFrame:
        """The rows of the sources table that the city's own figures name."""
        named = set(self.observations["source"])
        return self.all_sources[self.all_sources["source"].isin(named)].reset_index(drop=True)

    @cached_property
    def all_sources(self) -> pd.DataFrame:
        """The whole sources table, also for the nation and the peers."""
        table = kit.read_sources(self.root / DATA / "sources.csv")
        if not template_sheet.is_workbook(self.data):
            return table
        own = template_sheet.read_sources(self.root / self.data)
        return pd.concat([own, table[~table["source"].isin(own["source"])]], ignore_index=True)

    @once_a_run
    def pairs(self) -> pd.DataFrame:
        """What the parameters say of the nation's counterparts: as `comparison.comparison_table` takes it."""
        pairs = pd.DataFrame(_pairs(self), columns=PAIR_COLUMNS)
        raise_if_any(f"{PARAMS}/{self.parameters.id}.yaml", _pair_problems(self, pairs))
        return pairs

    def labelled(self, result: pd.DataFrame) -> pd.DataFrame:
        """Return a result with `label`, `goal` and `place` (name of the area) in front, in reading order."""
        known = self.definitions[[*DEFINITION_KEY, "label", "goal", "priority"]].reset_index(names="order")
        rows = result.merge(known, on=DEFINITION_KEY, how="left")
        rows.insert(0, "place", rows["area"].map(self.areas))
        rows.insert(0, "label", rows.pop("label"))
        ranks = {area: rank for rank, area in enumerate(self.areas)}
        rows = rows.assign(rank=rows["area"].map(ranks)).sort_values(["order", "rank"], kind="stable")
        return rows.drop(columns=["order", "rank"]).reset_index(drop=True)

    def chosen(self, result: pd.DataFrame, at_most: int = 6) -> list[tuple[tuple[str, str, str], str]]:
        """Return (indicator, series, unit) and label of the series to show first: priorities, else clear shocks."""
        rows = self.labelled(result[(result["breakdown"] == "") & (result["kind"] != "")])
        first = rows[rows["priority"].astype(bool)]
        if not len(first):
            moved = rows["level_verdict"].isin(["recovered", "not yet", "ahead"])
            first = rows[rows["shock_clear"] | moved].sort_values("shock_clear", ascending=False, kind="stable")
        return [(tuple(row[DEFINITION_KEY]), row["label"]) for _, row in first.head(at_most).iterrows()]

    def groups_of(self, result: pd.DataFrame, at_most: int = 6) -> list[tuple[tuple[str, str, str], str, str]]:
        """Return (indicator, series, unit), label and dimension of breakdowns with two or more groups."""
        rows = self.labelled(result[~result["breakdown"].str.contains(";")])
        rows["dimension"] = rows["breakdown"].str.split("=").str[0]
        sizes = rows.groupby([*DEFINITION_KEY, "label", "dimension"], sort=False).size()
        return [(key[:3], key[3], key[4]) for key, count in sizes.items() if count > 1][:at_most]

    def pair_note(self, key: tuple[str, str, str]) -> str:
        """Say how comparable the nation's counterpart of a series is; empty where nothing is said."""
        for choice in self.indicators:
            pair = choice.national
            if pair and choice.indicator == key[0] and choice.series in (None, key[1]):
                nation = self.areas[self.nation[0]] if self.nation else "the nation"
                return f"{nation}: {pair.comparability}{', ' if pair.reason else ''}{pair.reason}."
        return ""

    def as_own(self, area: str) -> pd.DataFrame:
        """Return an area's observations under the city's own series where the parameters pair the two."""
        table = self.around[self.around["area"] == area]
        for choice in self.indicators:
            pair = choice.national
            if area not in self.nation or pair is None or pair.comparability not in ("same", "near"):
                continue
            fits = table["indicator"] == (pair.indicator or choice.indicator)
            for name in ("series", "unit"):
                if getattr(pair, name) is not None:
                    fits &= table[name] == getattr(pair, name)
            mine = self.observations.loc[self.observations["indicator"] == choice.indicator]
            mine = mine if choice.series is None else mine[mine["series"] == choice.series]
            if fits.any() and len(mine):
                own = {name: mine[name].iloc[0] for name in DEFINITION_KEY}
                table = pd.concat([table, table[fits].assign(**own)], ignore_index=True)
        return table.drop_duplicates(["indicator", "series", "unit", "period", "breakdown"], keep="last")

    def _of_chosen_goals(self, table: pd.DataFrame) -> pd.DataFrame:
        if not self.goals:
            return table
        targets = _targets(self)
        goal = {code: _goal(code, targets) for code in table["indicator"].unique()}
        return table[table["indicator"].map(goal).isin(self.goals)].reset_index(drop=True)


def load_city(
    city: str | Mapping[str, Any] | City, root: Path | None = None, *, internal: bool = False, language: str = ""
) -> City:
    """Turn what a notebook was given into a checked city.

    Parameters
    ----------
    city : str or mapping
        Name of a file in `params/` without its ending, or the mapping that such a file holds.
    root : Path, optional
        Project folder; left out, it is looked for from the working directory upwards.
    internal : bool
        Show small numbers, which are hidden otherwise; such pages are not for publication.
    language : str
        Tag of the language of its pages, such as es; empty: the one of its parameters.

    Returns
    -------
    City
        Its parameters are checked; its tables are read and checked when first asked for.

    Raises
    ------
    InputError
        With every problem at once.
    """
    if isinstance(city, City):
        return city
    root = root or find_root()
    parameters = read_parameters(city, root)
    if language:
        parameters = parameters.model_copy(update={"language": checked(language)})
    return City(parameters, root, internal)


def load_cities(names: list[str], root: Path, *, internal: bool = False, language: str = "") -> list[City]:
    """Load several cities with all their tables; one error holds the problems of all of them."""
    cities, problems = [], []
    for name in names:
        try:
            city = load_city(name, root, internal=internal, language=language)
            checked(city.language)
            city.definitions, city.areas, city.sources, city.voices, city.pairs  # noqa: B018  reads and checks them
            raise_if_any(f"city {city.parameters.id!r}", _unknown_names(city))
            cities.append(city)
        except InputError as error:
            problems.extend(problem for problem in error.problems if problem not in problems)
    raise_if_any("cities", problems)
    return cities


def _unknown_names(city: City) -> list[Problem]:
    """Name sources without an entry, and a population series that no figures have."""
    name, problems = f"{PARAMS}/{city.parameters.id}.yaml", []
    for source in sorted(set(city.observations["source"]) - set(city.all_sources["source"])):
        where = f"{DATA}/{city.parameters.id}, column source"
        problems.append(
            Problem(where, repr(source), f"an id in {DATA}/sources.csv", f"add a row for it to {DATA}/sources.csv")
        )
    if city.population is not None and city.populations is not None and not len(city.populations):
        found, expected = repr(city.population), "the indicator code of a series of the city"
        problems.append(Problem(f"{name}, key population", found, expected, "correct the code, or leave the key out"))
    return problems


def data_file(root: Path, area: str, data: str | None = None) -> str:
    """Return the data file of an area, below the project, with forward slashes.

    Parameters
    ----------
    root : Path
    area : str
    data : str, optional
        The file that its parameters name; left out, they are looked up where the area has some.
    """
    data = data_of(area, root) if data is None else data
    if data:
        return Path(data).as_posix()
    path = Path(DATA) / f"{area}.csv"
    return (path if (root / path).is_file() else path.with_suffix(".parquet")).as_posix()


def _read_area(root: Path, area: str, data: str | None = None) -> pd.DataFrame:
    path = root / data_file(root, area, data)
    table = kit.read_table(path)
    other = sorted(set(table["area"]) - {area})
    if other:
        where = f"{path.relative_to(root).as_posix()}, column area"
        raise InputError(where, [Problem(where, ", ".join(other), area, "keep one area per file, or correct the id")])
    return table


def _shown(city: City, area: str) -> pd.DataFrame:
    """Return the figures of another area as this build may show them, by that area's own parameters if it has some."""
    if not city.internal and is_city(area, city.root):
        return City(read_parameters(area, city.root).model_copy(update={"goals": ()}), city.root).observations
    table = _read_area(city.root, area)
    return table if city.internal else disclosure.protect(table, threshold=city.disclosure_threshold)[0]


def _among(log: pd.DataFrame, rows: pd.DataFrame) -> np.ndarray:
    """Mask of the entries of a log whose cell is one of the rows."""
    cells = set(rows[list(ROW_KEY)].itertuples(index=False, name=None))
    return np.array([key in cells for key in log[list(ROW_KEY)].itertuples(index=False, name=None)], dtype=bool)


def labels_of(city: City) -> pd.DataFrame:
    """Return the indicators table, with what the city's own workbook says in front."""
    table = _labels(city.root)
    if not template_sheet.is_workbook(city.data):
        return table
    own = template_sheet.read_indicators(city.root / city.data)
    return pd.concat([own, table], ignore_index=True).drop_duplicates(DEFINITION_KEY)


def _labels(root: Path) -> pd.DataFrame:
    path = root / DATA / "indicators.csv"
    if not path.is_file():
        return pd.DataFrame(columns=list(kit.INDICATOR_COLUMNS), dtype=str)
    state = path.stat()
    return _indicators(path, state.st_mtime_ns, state.st_size).copy()


@lru_cache(maxsize=4)
def _indicators(path: Path, _changed: int, _size: int) -> pd.DataFrame:
    """Read the indicators table once, as long as the file stays as it is."""
    return kit.read_indicators(path)


def area_names(root: Path) -> dict[str, str]:
    """Return the name of every area that `data/areas.csv` lists, by its id."""
    path = root / DATA / "areas.csv"
    table = kit.read_areas(path) if path.is_file() else pd.DataFrame(columns=["area", "name"])
    return dict(zip(table["area"], table["name"], strict=True))


def vlr_counts(root: Path | None = None) -> pd.DataFrame:
    """Return every published count of voluntary local reviews, from `data/vlr_counts.csv`: never one total."""
    return kit.read_counts((root or find_root()) / DATA / "vlr_counts.csv")


def cities_of(
    cities: str | Sequence[str | Mapping[str, Any]], *, internal: bool = False, language: str = ""
) -> list[City]:
    """Turn what a notebook over several cities was given into checked cities.

    Parameters
    ----------
    cities : str or list
        "all" for every file in `params/`, or names of such files, or their mappings.
    internal : bool
    language : str
        As in `load_city`.
    """
    root = find_root()
    names = city_ids(root) if cities == "all" else [cities] if isinstance(cities, str) else list(cities)
    return [load_city(name, root, internal=internal, language=language) for name in names]


def _targets(city: City) -> dict[str, str]:
    """Return the target that the indicators table names first for each indicator."""
    rows = labels_of(city).drop_duplicates("indicator")
    return dict(zip(rows["indicator"], rows["sdg_target"], strict=True))


def _goal(code: str, targets: Mapping[str, str]) -> int:
    """Goal of an indicator by its global code, else by the target that the indicators table names; 0 for none."""
    goal = catalogue.goal_of(code)
    if goal is None:
        goal = catalogue.goal_of(targets.get(code, ""))
    return goal or 0


def _definitions(city: City, table: pd.DataFrame) -> pd.DataFrame:
    labels = labels_of(city)
    rows = table[DEFINITION_KEY].drop_duplicates().merge(labels, on=DEFINITION_KEY, how="left").fillna("")
    own = f"label_{city.language.partition('-')[0]}"
    if own in rows:
        rows["label"] = rows[own].where(rows[own] != "", rows["label"])
    rows = rows.drop(columns=[name for name in rows if name.startswith("label_")])
    targets = _targets(city)
    rows["goal"] = [_goal(code, targets) for code in rows["indicator"]]
    rows["label"] = [
        row.label or (row.series if row.series else catalogue.label(row.indicator)) for row in rows.itertuples()
    ]
    listed = rows["direction"] != ""
    known_series = (
        rows.merge(labels[DEFINITION_KEY], on=DEFINITION_KEY, how="left", indicator="listed")["listed"] == "both"
    )
    # A row in the indicators table speaks for its series, also by leaving the direction empty.
    from_catalogue = ~known_series.to_numpy() & (rows["indicator"].map(catalogue.direction) != "")
    rows["direction_source"] = np.select([listed, from_catalogue], ["indicators table", "catalogue"], "")
    rows.loc[from_catalogue, "direction"] = rows.loc[from_catalogue, "indicator"].map(catalogue.direction)
    rows["target"], rows["target_year"], rows["target_source"], rows["priority"] = np.nan, np.nan, "", False
    rows["department"], rows["measure"] = "", ""
    units = [catalogue.unit_scale(unit) for unit in rows["unit"]]
    for name in ("kind", "lower", "upper", "scale"):
        rows[name] = [getattr(unit, name) for unit in units]
    _apply_choices(rows, city)
    order = [catalogue.sort_key(code) for code in rows["indicator"]]
    rows = rows.iloc[
        sorted(range(len(rows)), key=lambda i: (rows["goal"].iloc[i] or 99, order[i], rows["series"].iloc[i]))
    ]
    return rows.reset_index(drop=True)


def _matching(rows: pd.DataFrame, choices: Sequence[Choice]) -> pd.Series:
    """Mask of the rows whose series one of the choices names."""
    fits = pd.Series(False, rows.index)
    for choice in choices:
        named = {name: getattr(choice, name) for name in DEFINITION_KEY if getattr(choice, name) is not None}
        fits |= (rows[list(named)] == list(named.values())).all(axis=1)
    return fits


def _apply_choices(rows: pd.DataFrame, city: City) -> None:
    """Write what the city says over what the tables say; a choice that fits no series is an error."""
    problems, targets = [], _targets(city)
    for number, choice in enumerate(city.indicators, 1):
        fits = _matching(rows, [choice])
        left_out = bool(city.goals) and _goal(choice.indicator, targets) not in city.goals
        if not fits.any() and not left_out:
            problems.append(_no_such_series(rows, choice, number, city))
        if choice.label:
            rows.loc[fits, "label"] = choice.label
        if choice.direction:
            rows.loc[fits, ["direction", "direction_source"]] = [choice.direction, coded("city parameters")]
        if choice.target is not None:
            told = [choice.target, choice.target_year, choice.target_source or coded("city parameters")]
            rows.loc[fits, ["target", "target_year", "target_source"]] = told
        for name in ("geography", "department", "measure"):
            if getattr(choice, name):
                rows.loc[fits, name] = getattr(choice, name)
        rows.loc[fits, "priority"] |= choice.priority
    raise_if_any(f"{PARAMS}/{city.id}.yaml", problems)


def _pairs(city: City) -> list[tuple]:
    """List the city's series that the parameters pair with one of the nation's; a missing name is the city's own."""
    keys = city.observations[DEFINITION_KEY].drop_duplicates()
    pairs = []
    for choice in city.indicators:
        if choice.national is not None:
            for own in keys[_matching(keys, [choice])].itertuples(index=False):
                other = (getattr(choice.national, name) or getattr(own, name) for name in DEFINITION_KEY)
                pairs.append((*own, *other, choice.national.comparability, choice.national.reason))
    return pairs


def _pair_problems(city: City, pairs: pd.DataFrame) -> list[Problem]:
    """Name every counterpart that no area of the nation has; a choice of goals may leave it out."""
    national = (
        pd.concat([_read_area(city.root, area) for area in city.nation]) if city.nation else city.observations[:0]
    )
    known = national[DEFINITION_KEY].drop_duplicates()
    keys, problems = set(known.itertuples(index=False, name=None)), []
    for row in pairs.itertuples():
        key = (row.other_indicator, row.other_series, row.other_unit)
        if key in keys:
            continue
        near = known[known["indicator"] == row.other_indicator]
        said = [f"series {part.series!r} with unit {part.unit!r}" for part in near.itertuples()]
        fix = f"choose {' or '.join(said[:3])}" if said else "write indicator, series and unit as in the nation's file"
        where = f"{PARAMS}/{city.parameters.id}.yaml, national counterpart of {row.indicator} ({row.series})"
        problems.append(Problem(where, " / ".join(key), "a series of the nation", fix))
    return problems


def _no_such_series(rows: pd.DataFrame, choice: Choice, number: int, city: City) -> Problem:
    where = f"{PARAMS}/{city.id}.yaml, key indicators {number}"
    found = " / ".join(part for part in (choice.indicator, choice.series, choice.unit) if part)
    same = rows[rows["indicator"] == choice.indicator]
    known = [*same["series"], *same["unit"]] if len(same) else list(rows["indicator"].unique())
    near = get_close_matches(
        choice.series or choice.unit or "" if len(same) else choice.indicator, known, n=1, cutoff=0.3
    )
    fix = f"did you mean {near[0]!r}?" if near else "write indicator, series and unit as in the data file"
    return Problem(where, f"{found}, which no figures have", "a series of the city or its comparators", fix)
