"""Make the figures of Pôrto Exemplo, a city that does not exist, and of its nation, with what was planted in them.

Writes data/porto-exemplo.csv, data/republica-exemplo.csv and data/truth/porto-exemplo.csv, and what residents of the
city say: data/voices/porto-exemplo.csv and data/truth/porto-exemplo-voices.csv. The seed is fixed: the files come out
the same, byte for byte. Run by `make data`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from vlr_analysis.observations import COLUMNS
from vlr_analysis.sources import voices
from vlr_analysis.sources.kit import write_table, write_whole

CITY, NATION, SEED = "porto-exemplo", "republica-exemplo", 20210223
YEARS = np.arange(2005, 2025)
MONTHS = pd.period_range("2012-01", "2024-12", freq="M")
BASED = "change relative to January 2020, proportion"
# Shares of the population; the average is theirs, so that a district can fall while it rises.
DISTRICTS = {"Centro": 0.30, "São Bento": 0.22, "Água Clara": 0.18, "Çarşı": 0.12, "حي الميناء": 0.10, "Ōta-Nova": 0.08}
TRUTH_COLUMNS = (
    "indicator",
    "series",
    "unit",
    "breakdown",
    "planted",
    "slope_per_year",
    "shock",
    "recovered_from",
    "trend_verdict",
    "movement",
    "level_verdict",
    "path_verdict",
    "note",
)


class Book:
    """Rows of observations and of truth, as they are planted."""

    def __init__(self, area: str, seed: int):
        self.area, self.rng = area, np.random.default_rng(seed)
        self.rows: list[dict] = []
        self.truth: list[dict] = []

    def add(self, indicator, series, unit, periods, values, breakdown="", status="value", digits=2, **truth) -> None:
        """Add a series; a NaN among the values becomes the status that `status` maps its period to."""
        key = {"area": self.area, "indicator": indicator, "series": series, "unit": unit, "breakdown": breakdown}
        states = status if isinstance(status, dict) else dict.fromkeys(periods, status)
        for period, value in zip(periods, np.round(values, digits), strict=True):
            row = {"period": period, "value": value, "low": np.nan, "high": np.nan, "source": "made-up"}
            self.rows.append(key | row | {"status": states.get(period, "value")})
        if truth:
            self.truth.append(dict.fromkeys(TRUTH_COLUMNS, "") | {k: key[k] for k in key if k != "area"} | truth)

    def noise(self, n: int, sd: float, phi: float = 0.0) -> np.ndarray:
        """Return AR(1) noise of standard deviation `sd`."""
        shocks = self.rng.normal(size=n)
        out = np.empty(n)
        out[0] = shocks[0]
        for i in range(1, n):
            out[i] = phi * out[i - 1] + np.sqrt(1 - phi**2) * shocks[i]
        return sd * out


def after_shock(years: np.ndarray, size: float, back: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Return `size` from 2020 on, times what `back` leaves of it."""
    since = years - 2020.0
    return np.where(since >= 0, size * back(np.maximum(since, 0)), 0.0)


def two_years(since: np.ndarray) -> np.ndarray:
    """Half of the shock left after a year, nothing from the second year on."""
    return np.select([since < 1, since < 2], [1.0, 0.5], 0.0)


def for_good(since: np.ndarray) -> np.ndarray:
    """Leave the whole shock in place."""
    return np.ones_like(since)


def annual_trends(book: Book) -> None:
    """Trends, none, and what is hard about short series."""
    years, since = YEARS.astype(str), YEARS - YEARS[0]
    robust, none, towards, away = "robust trend", "no clear trend", "towards the goal", "away from the goal"
    seen = "robust trend|trend not robust"  # few points, a curve or resembling years can hide that it is robust
    quiet = {"level_verdict": "no clear shock", "path_verdict": "no clear shock"}
    book.add(
        "1.2.1",
        "population below the national poverty line",
        "%",
        years,
        24 - 0.45 * since + book.noise(20, 0.5),
        status={"2024": "provisional"},
        planted="trend",
        slope_per_year=-0.45,
        trend_verdict=robust,
        movement=towards,
        path_verdict="no clear shock",
        note="the last year is provisional",
    )
    book.add(
        "11.6.2",
        "mean PM2.5 concentration",
        "µg/m³",
        years,
        21 - 0.4 * since + book.noise(20, 0.6),
        planted="trend",
        slope_per_year=-0.4,
        trend_verdict=robust,
        movement=towards,
    )
    book.add(
        "3.4.1",
        "deaths at age 30-70 from four chronic diseases",
        "%",
        years,
        14 + book.noise(20, 0.6),
        planted="none",
        slope_per_year=0,
        trend_verdict=none,
        **quiet,
    )
    book.add(
        "pe.1",
        "satisfaction with the neighbourhood",
        "score out of 10",
        years,
        6.8 + book.noise(20, 0.35, 0.6),
        planted="none",
        slope_per_year=0,
        note="years resemble their neighbours (phi 0.6)",
    )
    book.add(
        "11.6.1",
        "municipal waste collected and managed",
        "%",
        years,
        100 / (1 + np.exp(-(3.0 + 0.12 * since + book.noise(20, 0.15)))),
        planted="trend",
        trend_verdict=seen,
        movement=towards,
        note="a share near 100",
    )
    book.add(
        "7.2.1",
        "renewable share of final energy consumption",
        "%",
        years,
        4 + 30 / (1 + np.exp(-(since - 12) / 3)) + book.noise(20, 0.8),
        planted="trend",
        trend_verdict=seen,
        movement=towards,
        note="a curve, not a line",
    )
    book.add(
        "1.5.1",
        "people dead or missing in disasters",
        "people",
        years,
        book.rng.poisson(0.8, 20),
        digits=0,
        planted="none",
        slope_per_year=0,
        trend_verdict=none,
        note="counts with zeros; a zero is a value",
    )
    fiscal = [f"{year}-04-01/P1Y" for year in YEARS]
    book.add(
        "16.1.1",
        "homicides",
        "victims per 100,000",
        fiscal,
        12 - 0.3 * since + book.noise(20, 0.5),
        planted="trend",
        slope_per_year=-0.3,
        trend_verdict=seen,
        movement=towards,
        note="fiscal years",
    )
    pooled = [f"{year}-01-01/P3Y" for year in YEARS[:-2]]
    book.add(
        "pe.2",
        "life expectancy at birth",
        "years",
        pooled,
        74 + 0.25 * since[:-2] + book.noise(18, 0.1, 0.6),
        planted="trend",
        slope_per_year=0.25,
        trend_verdict=seen,
        movement=towards,
        note="three years pooled, each sharing two with the next: six periods stand on their own",
    )
    gap = [year for year in years if year != "2016"]
    hunger = 8 + 0.3 * since + book.noise(20, 0.4)
    hunger[8] = np.nan
    book.add(
        "2.1.2",
        "people in moderate or severe food insecurity",
        "%",
        gap,
        np.delete(hunger, 11),
        status={"2013": "missing"},
        planted="trend",
        slope_per_year=0.3,
        trend_verdict=seen,
        movement=away,
        note="2013 is missing, 2016 is not listed",
    )
    book.add(
        "9.c.1",
        "population covered by a mobile network",
        "%",
        years,
        np.where(YEARS < 2015, 70, 88) + book.noise(20, 0.6),
        status={"2015": "break"},
        planted="break",
        slope_per_year=0,
        trend_verdict=none,
        note="a new definition from 2015 on; no trend on either side",
    )
    book.add(
        "pe.3",
        "households with a garden plot",
        "%",
        years[-4:],
        [3.1, 3.4, 3.6, 3.9],
        planted="too short",
        trend_verdict="cannot tell",
        level_verdict="cannot tell",
        path_verdict="cannot tell",
    )


def annual_shocks(book: Book, scale: float = 1.0) -> None:
    """A shock in 2020 with recovery, one without, and a step in the desired direction."""
    years = YEARS.astype(str)
    truth = {"planted": "shock with recovery", "shock": 5.0 * scale, "recovered_from": "2022"}
    book.add(
        "8.6.1",
        "youth not in education, employment or training",
        "%",
        years,
        16 + after_shock(YEARS, 5.0 * scale, two_years) + book.noise(20, 0.45),
        level_verdict="recovered",
        path_verdict="recovered",
        **truth,
    )
    book.add(
        "4.1.2",
        "completion of lower secondary school",
        "%",
        years,
        86 + after_shock(YEARS, -7.0 * scale, for_good) + book.noise(20, 0.5),
        planted="shock without recovery",
        shock=-7.0 * scale,
        level_verdict="not yet",
        path_verdict="not yet",
    )
    book.add(
        "6.3.1",
        "wastewater safely treated",
        "%",
        years,
        62 + after_shock(YEARS, 9.0 * scale, for_good) + book.noise(20, 0.6),
        planted="ahead",
        shock=9.0 * scale,
        level_verdict="ahead",
        path_verdict="ahead",
    )


def monthly(book: Book, spike: float = 9.0) -> None:
    """Months with a season: a spike that fades, a drop that stays, and nothing."""
    labels = MONTHS.astype(str)
    t = MONTHS.year + (MONTHS.month - 0.5) / 12
    since = np.maximum((t - (2020 + 3.5 / 12)) * 12, 0)  # months since April 2020
    struck = np.asarray(t > 2020 + 3 / 12)
    season = np.cos(2 * np.pi * np.asarray(t))
    fade = np.where(struck, spike * np.exp(-since / 5), 0)
    book.add(
        "8.5.2",
        "unemployment rate, monthly, not seasonally adjusted",
        "%",
        labels,
        7.5 - 0.1 * (np.asarray(t) - 2012) + 0.4 * season + fade + book.noise(len(t), 0.15, 0.6),
        digits=1,
        planted="shock with recovery",
        shock=spike,
        recovered_from="2022-01",
        level_verdict="recovered",
        path_verdict="recovered|cannot tell",
        note="the month of the shock is 2020-04",
    )
    if book.area == NATION:
        return
    left = np.where(struck, -0.25 - 0.40 * np.exp(-since / 8), 0)
    book.add(
        "pe.4",
        "public transport boardings",
        "boardings",
        labels,
        2_400_000 * np.exp(0.05 * season + book.noise(len(t), 0.03, 0.5)) * (1 + left),
        digits=0,
        planted="shock without recovery",
        shock=-0.65,
        level_verdict="not yet",
        path_verdict="not yet",
        note="falls by 65 %, stays 25 % below",
    )
    book.add(
        "pe.5",
        "waiting time at the citizens' desk",
        "minutes",
        labels,
        18 * np.exp(0.08 * season + book.noise(len(t), 0.07, 0.4)),
        digits=1,
        planted="none",
        level_verdict="no clear shock",
        path_verdict="no clear shock",
    )


def groups(book: Book) -> None:
    """Districts and groups: an average that hides, and a group left behind."""
    years, since = YEARS.astype(str), YEARS - YEARS[0]
    series = ("11.2.1", "population with convenient access to public transport", "%")
    paths = {}
    for place, name in enumerate(DISTRICTS):
        slope = -0.6 if name == "Çarşı" else 0.8
        paths[name] = 58 - 3 * place + slope * since + book.noise(20, 0.5)
    total = sum(share * paths[name] for name, share in DISTRICTS.items())
    book.add(
        *series,
        years,
        total,
        planted="average hides",
        slope_per_year=0.8 - 1.4 * DISTRICTS["Çarşı"],
        trend_verdict="robust trend",
        movement="towards the goal",
        note="the average rises, one district falls",
    )
    for name, values in paths.items():
        hidden = name == "حي الميناء"
        shown = np.where((YEARS == 2018) & hidden, np.nan, values)
        falls = name == "Çarşı"
        book.add(
            *series,
            years,
            shown,
            breakdown=f"district={name}",
            status={"2018": "suppressed"} if hidden else "value",
            planted="suppressed cell" if hidden else "trend",
            slope_per_year=-0.6 if falls else 0.8,
            trend_verdict="robust trend|trend not robust",
            movement="away from the goal" if falls else "towards the goal",
        )
    for sex, gap in (("", 0.0), ("sex=female", -1.5), ("sex=male", 1.5)):
        planted = {
            "planted": "trend",
            "slope_per_year": -0.5,
            "trend_verdict": "robust trend",
            "movement": "towards the goal",
        }
        book.add(
            "3.2.1",
            "under-5 mortality rate",
            "deaths per 1,000 live births",
            years,
            22 - 0.5 * since + gap + book.noise(20, 0.4),
            breakdown=sex,
            **planted,
        )
    labels = MONTHS[MONTHS.year >= 2020].astype(str)
    months = np.maximum(np.arange(len(labels)) - 3, 0)
    struck = np.arange(len(labels)) >= 3
    parts = {}
    for quartile, (depth, rest) in enumerate([(-0.35, -0.12), (-0.20, 0.03), (-0.12, 0.05), (-0.06, 0.06)], start=1):
        path = rest + (depth - rest) * np.exp(-months / 6)
        parts[quartile] = np.where(struck, path, 0.0) + np.where(
            np.arange(len(labels)) > 0, book.noise(len(labels), 0.004), 0
        )
    measure = ("pe.6", "employment level", BASED)
    total = np.mean(list(parts.values()), axis=0)
    for breakdown, values in [("", total), *((f"income=quartile {q}", v) for q, v in parts.items())]:
        behind = breakdown == "income=quartile 1"
        level = {"": "recovered", "income=quartile 1": "not yet"}.get(breakdown, "ahead")
        book.add(
            *measure,
            labels,
            values,
            breakdown=breakdown,
            digits=4,
            planted="group left behind" if behind else "shock with recovery",
            path_verdict="cannot tell",
            level_verdict=level,
            note="a change from a base: no path",
        )


def conversation(book: Book) -> None:
    """A series on which city and nation differ by 30 %, steadily; a value in the city's book that slipped by ten."""
    years = YEARS.astype(str)
    here = book.area == CITY
    level = 39.0 if here else 30.0
    truth = {"planted": "disagreement of 30 %", "note": "the nation's rate is 30 %"} if here else {}
    book.add("12.5.1", "recycling rate", "%", years, level + book.noise(20, 0.3), **truth)
    if here:
        litres = 148 + book.noise(20, 2.0)
        litres[12] *= 10
        book.add(
            "pe.9", "drinking water used", "litres per person and day", years, litres, digits=1,
            planted="slip of ten", note="2017 was entered without its decimal point",
        )  # fmt: skip


def people(book: Book) -> None:
    """Residents by district, and a count of so few people by district and sex that some cells have to be hidden."""
    years = YEARS.astype(str)
    total = np.round(400_000 * 1.008 ** (YEARS - YEARS[0]))
    parts = {name: np.round(total * share) for name, share in DISTRICTS.items()}
    book.add("pe.7", "residents", "people", years, sum(parts.values()), digits=0)
    for name, values in parts.items():
        book.add("pe.7", "residents", "people", years, values, breakdown=f"district={name}", digits=0)
    last = years[-7:]
    rough = {
        (name, sex): book.rng.poisson(60 * share * rate, len(last)).astype(float)
        for name, share in DISTRICTS.items()
        for sex, rate in (("female", 0.35), ("male", 1.0))
    }
    series = ("pe.8", "people sleeping rough, counted in one night", "people")
    truth = {"planted": "small cells", "note": "cells of 1 to 4 people, and totals that would give them away"}
    book.add(*series, last, sum(rough.values()), digits=0, **truth)
    for position, dimension in enumerate(("district", "sex")):
        for category in dict.fromkeys(key[position] for key in rough):
            values = sum(v for key, v in rough.items() if key[position] == category)
            book.add(*series, last, values, breakdown=f"{dimension}={category}", digits=0)
    for (name, sex), values in rough.items():
        book.add(*series, last, values, breakdown=f"district={name};sex={sex}", digits=0)


def city() -> Book:
    """Return the city's book."""
    book = Book(CITY, SEED)
    for plant in (annual_trends, annual_shocks, monthly, groups, conversation, people):
        plant(book)
    return book


def nation() -> Book:
    """Return the nation's book: the same measures, a milder shock, no districts."""
    book = Book(NATION, SEED + 1)
    years, since = YEARS.astype(str), YEARS - YEARS[0]
    book.add("1.2.1", "population below the national poverty line", "%", years, 21 - 0.3 * since + book.noise(20, 0.4))
    book.add("11.6.2", "mean PM2.5 concentration", "µg/m³", years, 17 - 0.2 * since + book.noise(20, 0.4))
    annual_shocks(book, 0.7)
    monthly(book, 6.0)
    conversation(book)
    return book


# --- what residents say ---------------------------------------------------------------------------

TRANSPORT = (
    "access to public transport",
    "11.2",
    "11.2.1",
    "population with convenient access to public transport",
    "%",
)
AIR = ("air quality", "11.6", "11.6.2", "mean PM2.5 concentration", "µg/m³")
WASTE = ("waste collection", "11.6", "11.6.1", "municipal waste collected and managed", "%")
WAITING = ("waiting at the citizens' desk", "16.6", "pe.5", "waiting time at the citizens' desk", "minutes")
YOUTH = ("young people without work", "8.6", "8.6.1", "youth not in education, employment or training", "%")
POVERTY = ("poverty", "1.2", "1.2.1", "population below the national poverty line", "%")
NOISE, LIGHT = ("noise at night", "11.6", "", "", ""), ("dark streets", "11.7", "", "", "")
# kind, title, organiser, period, population, chosen, groups, consent
EVIDENCE = {
    "poll-2024": ("poll", "Open poll on buses and trams", "Câmara Municipal de Pôrto Exemplo", "2024-05", "",
                  "open call", "users of the city's website", "anonymous"),
    "workshop-carsi-2024": ("workshop", "Neighbourhood workshop in Çarşı", "Çarşı Mahalle Meclisi", "2024-03-16", "60",
                            "invited", "residents of Çarşı; tenants; shopkeepers", "given"),
    "survey-2023": ("poll", "Household survey on living conditions", "Instituto de Estatística", "2023-10",
                    "2200", "random sample", "residents aged 16 or more", "given"),
    "complaints-2023": ("complaint log", "Complaints at the citizens' desk", "Câmara Municipal de Pôrto Exemplo",
                        "2023", "", "register", "people who complained", "anonymous"),
    "sensors-2022": ("citizen data", "Air sensors on balconies", "Associação Ar Limpo", "2021-01-01/P3Y", "",
                     "open call", "households that host a sensor", "given"),
    "interviews-2023": ("interviews", "مقابلات في حي الميناء", "جمعية أهل الميناء", "2023-06", "", "invited",
                        "young residents of حي الميناء", "given"),
    "panel-2024": ("poll", "Youth panel", "Conselho da Juventude", "2024-02", "", "quota", "residents aged 15 to 24",
                   "anonymous"),
    "festival-2022": ("workshop", "Notes of the street festival", "Café São Bento", "2022-09-03", "", "open call",
                      "passers-by", "none"),
    "workshop-2012": ("workshop", "Workshop on poverty", "Fórum Social", "2012-11", "", "invited",
                      "people who live in poverty", "given"),
}  # fmt: skip


class Voices:
    """Rows of the register of evidence, and what comparing it with the figures should find."""

    def __init__(self, seed: int):
        self.rng = np.random.default_rng(seed)
        self.rows: list[dict] = []
        self.truth: list[dict] = []

    def add(self, evidence, theme, participants, counts, verdict, grade, place="", quotation="", **truth) -> None:
        """Add what was said on a theme, by statement, and its truth."""
        names = ("kind", "title", "organiser", "period", "population", "chosen", "groups", "consent")
        about = dict(zip(names, EVIDENCE[evidence], strict=True))
        about |= dict(zip(("theme", "target", "indicator", "series", "unit"), theme, strict=True))
        about |= {"evidence": evidence, "place": place, "participants": participants, "source": "made-up"}
        if place and evidence == "survey-2023":
            about["population"] = ""  # how many were drawn is known for the whole city
        for i, (says, count) in enumerate(counts.items()):
            words = {"says": says, "count": count, "quotation": "" if i else quotation, "note": "made up"}
            self.rows.append(about | words)
        self.truth.append({"evidence": evidence, "theme": theme[0], "place": place, "verdict": verdict,
                           "grade_at_most": grade, "average_hides": ""} | truth)  # fmt: skip

    def survey(self) -> None:
        """Add the survey: air in the whole city, transport also by district; some said nothing on it."""
        people = dict(zip(DISTRICTS, self.rng.multinomial(1240, list(DISTRICTS.values())), strict=True))
        air = {"improves": 790, "worsens": 205, "unchanged": 190}
        self.add("survey-2023", AIR, 1240, air, "agrees", "A", planted="random sample, agrees")
        counts = {}
        for name, n in people.items():
            split = [0.16, 0.62, 0.14, 0.08] if name == "Çarşı" else [0.62, 0.14, 0.16, 0.08]
            improves, worsens, unchanged, _ = self.rng.multinomial(n, split)
            if name == "Ōta-Nova":
                worsens = 3
            counts[name] = {"improves": improves, "worsens": worsens, "unchanged": unchanged}
        whole = {says: sum(split[says] for split in counts.values()) for says in air}
        self.add("survey-2023", TRANSPORT, 1240, whole, "agrees", "A", planted="random sample, agrees")
        for name, split in counts.items():
            truth = {"planted": "random sample by district", "average_hides": "yes" if name == "Çarşı" else ""}
            grade = "B" if people[name] >= 100 else "C"
            self.add("survey-2023", TRANSPORT, people[name], split, "agrees", grade, f"district={name}", **truth)


def residents() -> Voices:
    """Return the register of the city and its truth."""
    book = Voices(SEED + 2)
    many = {"worsens": 27, "improves": 8, "unchanged": 5}
    book.add("poll-2024", TRANSPORT, 40, many, "disagrees", "C", planted="self-selected poll against the average")
    book.add("workshop-carsi-2024", TRANSPORT, 24, {"worsens": 19, "unchanged": 5}, "agrees", "C", "district=Çarşı",
             "The last bus leaves before my shift ends.", average_hides="yes", planted="average hides")  # fmt: skip
    book.add("workshop-carsi-2024", LIGHT, 24, {"concern": 14}, "silent", "C", "district=Çarşı", planted="no figures")
    book.survey()
    book.add("complaints-2023", NOISE, 412, {"concern": 265}, "silent", "B", planted="no figures")
    book.add("complaints-2023", WAITING, 412, {"worsens": 58}, "silent", "B", planted="no trend in the figures")
    book.add("complaints-2023", WASTE, 412, {"worsens": 71}, "disagrees", "B", planted="complaints against figures")
    book.add("sensors-2022", AIR, 18, {"improves": 12, "unchanged": 6}, "agrees", "C", "district=Ōta-Nova",
             planted="no figures of the place")  # fmt: skip
    book.add("interviews-2023", TRANSPORT, 12, {"improves": 8}, "agrees", "C", "district=حي الميناء",
             "الحافلة تصل الآن إلى حيّنا.", planted="small group")  # fmt: skip
    book.add("interviews-2023", YOUTH, 12, {"concern": 3}, "silent", "C", "district=حي الميناء", planted="small count")
    split = {"improves": 52, "worsens": 50, "unchanged": 18}
    book.add("panel-2024", YOUTH, 120, split, "silent", "B", planted="voices split")
    book.add("festival-2022", NOISE, 31, {"concern": 22}, "silent", "D", planted="no consent")
    book.add("workshop-2012", POVERTY, 30, {"worsens": 22, "unchanged": 6}, "disagrees", "D", planted="old")
    return book


def write_residents(folder: Path) -> None:
    """Write the register and its truth below `folder`."""
    book = residents()
    truth = ["evidence", "theme", "place", "planted", "verdict", "grade_at_most", "average_hides"]
    for path, rows, columns in (
        (folder / "voices" / f"{CITY}.csv", book.rows, list(voices.COLUMNS)),
        (folder / "truth" / f"{CITY}-voices.csv", book.truth, truth),
    ):
        text = pd.DataFrame(rows, columns=columns).to_csv(index=False, lineterminator="\n")
        write_whole(path, text.encode("utf-8"))


def main(folder: Path) -> None:
    """Write the five files below `folder`."""
    for book in (city(), nation()):
        write_table(pd.DataFrame(book.rows)[list(COLUMNS)], folder / f"{book.area}.csv")
    truth = pd.DataFrame(city().truth, columns=list(TRUTH_COLUMNS)).to_csv(index=False, lineterminator="\n")
    write_whole(folder / "truth" / f"{CITY}.csv", truth.encode("utf-8"))
    write_residents(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[1] / "data")
