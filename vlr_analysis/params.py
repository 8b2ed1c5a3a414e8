"""A city's parameters: one short YAML file, all its problems at once, frozen after the check."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from vlr_analysis import catalogue
from vlr_analysis.errors import InputError, Problem, raise_if_any
from vlr_analysis.periods import parse_period
from vlr_analysis.project import DATA, PARAMS
from vlr_analysis.sources import template_sheet
from vlr_analysis.yaml_files import problem_of, read_mapping

SLUG = r"^[a-z0-9]+(-[a-z0-9]+)*$"
_ENDINGS = (".csv", ".parquet")


class _Frozen(BaseModel):
    """Unknown keys are refused; nothing changes after the check."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Covid(_Frozen):
    """Dates of the shock, per country and never from the data."""

    shock: str = Field("2020-03", description="period in which the shock began, ISO 8601, such as 2020-03")
    recovery_from: str = Field("2022-01", description="period from which recovery is judged, such as 2022-01")

    @field_validator("shock", "recovery_from")
    @classmethod
    def _is_a_period(cls, text: str) -> str:
        parse_period(text)
        return text


class National(_Frozen):
    """The nation's counterpart of a city's series, and how far the two may be compared."""

    indicator: str | None = Field(None, description="the nation's indicator code")
    series: str | None = Field(None, description="the nation's series, as in its data file")
    unit: str | None = Field(None, description="the nation's unit, as in its data file")
    comparability: Literal["same", "near", "context", "blocked"] = Field(description="same, near, context or blocked")
    reason: str = Field("", description="why the two may or may not be compared")


class Choice(_Frozen):
    """What the city says of one indicator, or of one of its series."""

    indicator: str = Field(description="indicator code, such as 8.5.2 or la.10.1")
    series: str | None = Field(None, description="series as in the data file; left out: every series of the indicator")
    unit: str | None = Field(None, description="unit as in the data file; left out: every unit")
    label: str | None = Field(None, description="short label for charts")
    direction: Literal["increase", "decrease"] | None = Field(None, description="increase or decrease")
    target: float | None = Field(None, description="target value, in the unit of the series")
    target_year: int | None = Field(None, ge=2000, le=2100, description="year by which the target is to be met")
    target_source: str = Field("", description="who set the target")
    national: National | None = Field(None, description="the nation's counterpart")
    priority: bool = Field(False, description="true where the city wants it shown first")
    published: bool = Field(False, description="true where the figures are public already, small numbers included")
    geography: str = Field("", description="other area that the figures are of, such as county")
    department: str = Field("", description="who answers for the indicator in the city")
    measure: str = Field("", description="recovery measure or decision that the indicator informs")

    @field_validator("target")
    @classmethod
    def _is_finite(cls, value: float | None) -> float | None:
        if value is not None and not np.isfinite(value):
            raise ValueError("a target is a finite number")
        return value


class Parameters(_Frozen):
    """The keys of `params/<city>.yaml`, below its one top-level key ``city``."""

    id: str = Field(pattern=SLUG, description="slug: small letters, digits, hyphens")
    name: str = Field(min_length=1, description="name as readers know it")
    country: str = Field(pattern=r"^[A-Z]{3}$", description="ISO 3166-1 alpha-3 code, such as GBR")
    made_up: bool = Field(False, description="true for a city that does not exist")
    data: str | None = Field(None, description="data file below the project; left out: data/<id>.csv")
    nation: tuple[str, ...] = Field((), description="area or areas that stand for the nation, nearest first")
    peers: tuple[str, ...] = Field((), description="areas to compare with")
    priority_targets: tuple[str, ...] = Field((), description="codes in quotation marks, shown also with no data")
    pillars: dict[str, tuple[str, ...]] = Field({}, description="pillar of the city's strategy: its SDG targets")
    orders: dict[str, tuple[str, ...]] = Field({}, description="dimension: its groups, least advantaged first")
    voices: str | None = Field(None, description="register of evidence; left out: data/voices/<id>.csv where it exists")
    boundary: str = Field("", description="what the figures are of: city proper, metropolitan or functional area")
    contact: str = Field("", description="whom to write to about the figures")
    licence: str = Field("", description="terms under which the city gives its own figures and texts")
    goals: tuple[int, ...] = Field((), description="goals 1 to 17; left out: every goal with figures")
    baseline_year: int = Field(2015, ge=1990, le=2029, description="year from 1990 to 2029")
    horizon: int = Field(2030, ge=2016, le=2100, description="year from 2016 to 2100")
    covid: Covid = Covid()
    indicators: tuple[Choice, ...] = ()
    disclosure_threshold: int = Field(5, ge=1, le=100, description="whole number from 1 to 100")
    previous_release: str | None = Field(None, description="figures as last published, in the kit's form")
    language: str = Field("en", pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$", description="BCP 47 tag, such as en")
    population: str | None = Field(None, description="indicator code of the series that counts residents by group")
    seed: int = Field(2030, ge=0, description="whole number, zero or more")

    @field_validator("nation", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("priority_targets", mode="before")
    @classmethod
    def _codes_are_text(cls, value: Any) -> Any:
        return _targets_as_text(value)

    @field_validator("pillars", mode="before")
    @classmethod
    def _codes_of_pillars_are_text(cls, value: Any) -> Any:
        return {name: _targets_as_text(codes) for name, codes in value.items()} if isinstance(value, dict) else value

    @field_validator("goals")
    @classmethod
    def _goals_exist(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        wrong = [goal for goal in value if not 1 <= goal <= 17]
        if wrong:
            raise ValueError(f"goals are 1 to 17, not {wrong}")
        return tuple(sorted(set(value)))


def _targets_as_text(codes: Any) -> Any:
    """Refuse codes that YAML has read as numbers: 3.10 would be 3.1."""
    if isinstance(codes, list | tuple) and any(not isinstance(code, str) for code in codes):
        raise ValueError('put codes of targets in quotation marks, such as ["3.8", "11.2"]')
    return codes


# --- finding and reading -------------------------------------------------------------------------


def city_ids(root: Path) -> list[str]:
    """Return the ids of all cities that have a file in `params/`, sorted."""
    return sorted(path.stem for path in (root / PARAMS).glob("*.yaml"))


def is_city(area: str, root: Path) -> bool:
    """Whether an area has a file in `params/`; looks for that file alone, however many there are."""
    return re.fullmatch(SLUG, area) is not None and _is_file(root / PARAMS / f"{area}.yaml")


def read_parameters(city: str | Mapping[str, Any], root: Path) -> Parameters:
    """Check what a notebook or a command was given.

    Parameters
    ----------
    city : str or mapping
        Name of a file in `params/` without its ending (papermill's ``-p city bristol``), or the
        mapping that such a file holds (papermill's ``-f params/bristol.yaml``).
    root : Path
        Folder of the project.

    Raises
    ------
    InputError
        With every problem at once: unknown keys ("did you mean"), wrong types, files and areas
        that are not there.
    """
    if isinstance(city, str):
        content = read_mapping(_params_file(root, city), root, "city")
        return _checked(content, f"{PARAMS}/{city}.yaml", root, file_id=city)
    if isinstance(city, Mapping):
        inner = city["city"] if set(city) == {"city"} and isinstance(city["city"], Mapping) else city
        return _checked(dict(inner), "parameter city", root)
    example = (city_ids(root) or ["bristol"])[0]
    fix = f'write the name of a file in {PARAMS}/ in quotation marks, such as city = "{example}"'
    raise InputError("parameter city", [Problem("parameter city", repr(city), "a name or a mapping", fix)])


def _params_file(root: Path, name: str) -> Path:
    path = root / PARAMS / f"{name}.yaml"
    if re.fullmatch(SLUG, name) and path.is_file():
        return path
    known = city_ids(root)
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    fix = f"did you mean {near[0]!r}?" if near else f"choose one of {', '.join(known) or 'none: the folder is empty'}"
    raise InputError(f"city {name!r}", [Problem(f"{PARAMS}/", f"no file {name}.yaml", "one file per city", fix)])


# --- checking ----------------------------------------------------------------------------------


def _checked(content: dict, name: str, root: Path, file_id: str | None = None) -> Parameters:
    try:
        parameters = Parameters.model_validate(content)
    except ValidationError as error:
        found = error.errors(include_url=False)
        raise InputError(name, [problem_of(item, name, _model_at) for item in found]) from None
    raise_if_any(name, _outer_problems(parameters, name, root, file_id))
    return _with_workbook(parameters, root)


def _with_workbook(parameters: Parameters, root: Path) -> Parameters:
    """Add what the workbook of a city says of its indicators; the parameters win where both speak of a series."""
    if not template_sheet.is_workbook(parameters.data):
        return parameters
    said = {(choice.indicator, choice.series, choice.unit) for choice in parameters.indicators}
    more = [Choice(**row) for row in template_sheet.read_choices(root / parameters.data)]
    more = [choice for choice in more if (choice.indicator, choice.series, choice.unit) not in said]
    return parameters.model_copy(update={"indicators": (*parameters.indicators, *more)})


def _model_at(path: tuple) -> type[BaseModel]:
    below = {"covid": Covid, "indicators": Choice, "national": National}
    model: type[BaseModel] = Parameters
    for part in path:
        model = below.get(part, model)
    return model


def _outer_problems(parameters: Parameters, name: str, root: Path, file_id: str | None) -> Iterator[Problem]:
    if file_id is not None and parameters.id != file_id:
        yield Problem(
            f"{name}, key id", repr(parameters.id), f"{file_id!r}, the name of the file", "make the two equal"
        )
    if parameters.horizon <= parameters.baseline_year:
        found = f"{parameters.horizon}, not after baseline_year {parameters.baseline_year}"
        yield Problem(f"{name}, key horizon", found, "a year after baseline_year", "choose a later year")
    if parse_period(parameters.covid.recovery_from).start < parse_period(parameters.covid.shock).start:
        found = f"{parameters.covid.recovery_from}, before the shock {parameters.covid.shock}"
        yield Problem(f"{name}, key covid.recovery_from", found, "a period after the shock", "choose a later period")
    yield from _targets_without_year(parameters, name)
    yield from _unknown_targets(parameters, name)
    seen: dict[tuple, int] = {}
    for number, choice in enumerate(parameters.indicators, 1):
        first = seen.setdefault((choice.indicator, choice.series, choice.unit), number)
        if first != number:
            where = f"{name}, key indicators {number}"
            yield Problem(where, f"the same series as entry {first}", "each series once", "join the two entries")
    yield from _missing_files(parameters, name, root)


def _targets_without_year(parameters: Parameters, name: str) -> Iterator[Problem]:
    for number, choice in enumerate(parameters.indicators, 1):
        if (choice.target is None) != (choice.target_year is None):
            found = "a target without a year" if choice.target_year is None else "a target's year without the target"
            fix = f"add target_year, such as {parameters.horizon}" if choice.target_year is None else "add target"
            where = f"{name}, key indicators {number} ({choice.indicator})"
            yield Problem(where, found, "target and target_year together", fix)


def _unknown_targets(parameters: Parameters, name: str) -> Iterator[Problem]:
    known = catalogue.targets()["target"].tolist()
    named = [("priority_targets", parameters.priority_targets)]
    named += [(f"pillars.{pillar}", codes) for pillar, codes in parameters.pillars.items()]
    for key, codes in named:
        for code in codes:
            if code not in known:
                near = get_close_matches(code, known, n=1, cutoff=0.6)
                fix = f"did you mean {near[0]!r}?" if near else "write a target such as '11.2'"
                yield Problem(f"{name}, key {key}", repr(code), "one of the 169 SDG targets", fix)


def _missing_files(parameters: Parameters, name: str, root: Path) -> Iterator[Problem]:
    if parameters.data is not None and not _is_file(root / parameters.data):
        expected = "a workbook, a CSV or a Parquet file"
        yield Problem(f"{name}, key data", f"no file {parameters.data}", expected, "correct the path")
    if parameters.previous_release is not None and not _is_file(root / parameters.previous_release):
        where, found = f"{name}, key previous_release", f"no file {parameters.previous_release}"
        yield Problem(where, found, "observations as CSV or Parquet", "correct the path, or leave the key out")
    if parameters.voices is not None and not _is_file(root / parameters.voices):
        fix = "correct the path, or leave the key out"
        yield Problem(f"{name}, key voices", f"no file {parameters.voices}", "a CSV file or a workbook", fix)
    wanted = [("nation", area) for area in parameters.nation] + [("peers", area) for area in parameters.peers]
    if parameters.data is None:
        wanted.insert(0, ("data", parameters.id))
    for key, area in wanted:
        if not _has_figures(area, root):
            known = [path.stem for ending in _ENDINGS for path in sorted((root / DATA).glob(f"*{ending}"))]
            known = [stem for stem in known if "." not in stem]  # origins and repairs are no areas
            near = get_close_matches(area, known, n=1, cutoff=0.6)
            fix = f"did you mean {near[0]!r}?" if near else f"put the file {DATA}/{area}.csv there"
            yield Problem(f"{name}, key {key}", f"no file {DATA}/{area}.csv", "one data file per area", fix)


def data_of(area: str, root: Path) -> str | None:
    """Return the data file that an area's own parameters name; None where they name none, or there are none.

    Looks at that key alone: two cities may each name the other as a peer.
    """
    if not is_city(area, root):
        return None
    try:
        return _data_key((root / PARAMS / f"{area}.yaml").read_bytes())
    except (yaml.YAMLError, ValueError, TypeError, RecursionError):  # told where that file itself is read
        return None


@lru_cache(maxsize=256)  # a report asks for each of its areas some ten times
def _data_key(content: bytes) -> str | None:
    """Return the data file that the text of a parameter file names."""
    content = yaml.safe_load(content.decode("utf-8"))
    city = content.get("city") if isinstance(content, dict) else None
    named = city.get("data") if isinstance(city, dict) else None
    return named if isinstance(named, str) and named else None


def _is_file(path: Path) -> bool:
    """Whether a file is there; a name that no file can have, such as one of a thousand letters, is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _has_figures(area: str, root: Path) -> bool:
    if re.fullmatch(SLUG, area) is None:
        return False
    if any(_is_file(root / DATA / f"{area}{ending}") for ending in _ENDINGS):
        return True
    named = data_of(area, root)  # looked at last: a run must not open the files of every city
    return named is not None and _is_file(root / named)
