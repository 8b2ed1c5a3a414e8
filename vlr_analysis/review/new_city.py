"""The first two files of a city: its parameters with a word on each key, and the workbook for its figures."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path

from slugify import slugify

from vlr_analysis.errors import Problem, raise_if_any
from vlr_analysis.params import DATA, PARAMS
from vlr_analysis.review.bundle import timeless
from vlr_analysis.sources.kit import write_whole
from vlr_analysis.sources.template import empty_workbook

NO_COUNTRY = "XXX"  # ISO 3166-1 leaves XAA to XZZ to the user: no real country
LONGEST = 60
# Names that Windows keeps for devices, and the word that means every city.
_TAKEN = {"all", "con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}


@dataclass(frozen=True)
class NewCity:
    """What was made.

    Attributes
    ----------
    id, name : str
    files : tuple of str
        Paths below the project, with forward slashes.
    remark : str
        How the id came from the name; empty where it is the name.
    """

    id: str
    name: str
    files: tuple[str, ...]
    remark: str

    def lines(self) -> list[str]:
        """Return what to tell the user, with the next step."""
        parameters, workbook = self.files
        told = [self.remark] if self.remark else []
        told += [
            f"{parameters}: what to say of the city; each key has a word on it.",
            f"{workbook}: the workbook to fill; its first sheet says how.",
        ]
        return [*told, f"Next: fill the workbook, then: vlr check {self.id}   and   vlr run {self.id}"]


def new_city(city: str, root: Path, *, name: str | None = None, country: str = NO_COUNTRY) -> NewCity:
    """Make `params/<id>.yaml` and `data/<id>.xlsx` for a city that is not there yet.

    Parameters
    ----------
    city : str
        Id or name of the city; an id is made of it: small letters without accents, digits, hyphens.
    root : Path
        Folder of the project.
    name : str, optional
        Name as readers know it, in any script; left out, what was given as `city`.
    country : str
        ISO 3166-1 alpha-3 code.

    Returns
    -------
    NewCity

    Raises
    ------
    InputError
        No id can be made; one of the files is there already, and nothing is written; the country is no code.
    """
    city, country = city.strip(), country.strip().upper()
    slug, name = slugify(city), (name or city).strip()
    parameters, workbook = f"{PARAMS}/{slug}.yaml", f"{DATA}/{slug}.xlsx"
    raise_if_any("vlr new", [*_problems(city, slug, name, country), *_there_already(root, parameters, workbook)])
    buffer = io.BytesIO()
    empty_workbook(slug, name).save(buffer)
    write_whole(root / workbook, timeless(buffer.getvalue()))
    write_whole(root / parameters, parameters_text(slug, name, country).encode("utf-8"))
    remark = "" if slug == city else f"The id of {city} is {slug}: files and web addresses need plain letters."
    return NewCity(slug, name, (parameters, workbook), remark)


def _problems(city: str, slug: str, name: str, country: str) -> list[Problem]:
    problems = []
    fix = 'write a short id, such as: vlr new cairo --name "القاهرة"'
    if not slug or slug in _TAKEN or len(slug) > LONGEST:
        expected = f"an id of 1 to {LONGEST} letters and digits that is no reserved word"
        problems.append(Problem("vlr new, CITY", repr(city[:80]), expected, fix))
    if any(not letter.isprintable() for letter in name):
        problems.append(Problem("vlr new, --name", repr(name[:80]), "a name on one line", "leave out the odd signs"))
    if not (len(country) == 3 and country.isascii() and country.isalpha()):
        found, expected = repr(country[:20]), "the three letters of the country in ISO 3166-1, such as ECU"
        problems.append(Problem("vlr new, --country", found, expected, "look the code up, or leave --country out"))
    return problems


def _there_already(root: Path, *names: str) -> list[Problem]:
    fix = "fill that one, choose another id, or move the file away first"
    return [
        Problem(name, "a file that is there already", "a city that is new", fix)
        for name in names
        if (root / name).exists()
    ]


def parameters_text(city: str, name: str, country: str = NO_COUNTRY) -> str:
    """Return the text of `params/<city>.yaml`: valid as it is, with a word on every key."""
    return _PARAMETERS.format(
        city=city,
        id=json.dumps(city),
        name=json.dumps(name, ensure_ascii=False),
        country=country,
        data=f"{DATA}/{city}.xlsx",
    )


_PARAMETERS = """\
# What the review says of the city, and what it compares with. Check it at any time: vlr check {city}
# A line that begins with # is a remark. To use a key, take its # away and keep the spaces before it.
city:
  id: {id}
  name: {name}
  country: {country}               # ISO 3166-1, three letters: ECU, GBR, JPN ...; XXX stands for none
  data: {data}    # the workbook with the figures
  voices: {data}  # what residents say: its sheet Voices

  # --- the city
  boundary: ""               # what the figures are of: city proper, metropolitan area, district ...
  contact: ""                # whom to write to about the figures
  licence: ""                # terms under which others may use the figures, such as CC BY 4.0
  language: en               # language of the pages: en, or another with a catalogue (vlr run --help)
  # made_up: true            # only for a city that does not exist

  # --- the years
  baseline_year: 2015        # first year that progress is counted from
  horizon: 2030              # last year that progress is looked at
  covid:
    shock: 2020-03           # month in which COVID-19 reached the city
    recovery_from: 2022-01   # month from which recovery is judged

  # --- whom to compare with; each of them needs a file data/<area>.csv
  nation: []                 # the nation, nearest first, such as [england, united-kingdom]
  peers: []                  # cities to compare with, such as [belfast, leeds]

  # --- what matters to the city
  # goals: [3, 8, 11]        # only these goals; left out: every goal with figures
  priority_targets: []       # SDG targets in quotation marks, such as ["3.8", "11.2"]; shown also without figures
  # pillars:                 # the city's own strategy: each part, and its SDG targets
  #   A fair city: ["1.2", "11.1"]
  # orders:                  # groups in their order, those with the least first
  #   income: [lowest fifth, second fifth, middle fifth, fourth fifth, highest fifth]
  # population: cu.7         # code of the series that counts residents by group
  # indicators:              # what the sheets Indicators and Targets cannot say
  #   - indicator: 8.5.2
  #     published: true      # the figures are public already, small numbers too
  #     national: {{indicator: 8.5.2, comparability: near, reason: the nation counts from age 15}}

  # --- small numbers of people
  disclosure_threshold: 5    # numbers of people below this are hidden
  # previous_release: data/{city}-2024.csv   # figures as last published: what is known already stays known

  seed: 2030                 # any whole number; the same number gives the same review
"""
