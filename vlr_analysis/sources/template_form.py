"""The workbook that a city fills: its sheets and columns, what each is for, and which words it offers."""

from __future__ import annotations

from dataclasses import dataclass, field

from vlr_analysis.sources.voices import COLUMNS as VOICES_COLUMNS
from vlr_analysis.sources.voices import FILLED as VOICES_FILLED

GUIDE, FIGURES, INDICATORS, TARGETS, VOICES, SOURCES, NOTES, CODES = (
    "Guide", "Figures", "Indicators", "Targets", "Voices", "Sources", "Notes", "Codes",
)  # fmt: skip
SHEETS = (GUIDE, FIGURES, INDICATORS, TARGETS, VOICES, SOURCES, NOTES, CODES)
SERIES = ["indicator", "series", "unit"]
CITY_ID = "City id"  # on the sheet Guide, with the id in the cell to its right
YEARS = range(2010, 2031)
# Statuses that may hold for all figures of a row; for a single figure a mark behind it says more.
ROW_STATUSES = ("value", "estimated", "provisional")


@dataclass(frozen=True)
class Column:
    """One column of a sheet.

    Attributes
    ----------
    name : str
        As the kit calls it.
    head : str
        As the workbook calls it.
    help : str
        What to write, in one or two short sentences.
    needed : bool
        Whether every row has to have it.
    choices : str
        Name of the list on the sheet Codes that is offered; empty for free text.
    strict : bool
        Whether other words than those of the list are refused while typing.
    example : object
        What stands in the example row.
    width : int
        In letters.
    """

    name: str
    head: str
    help: str
    needed: bool = False
    choices: str = ""
    strict: bool = False
    example: str | float | int | None = None
    width: int = 16


@dataclass(frozen=True)
class Form:
    """One sheet: what it is for, and its columns in order."""

    sheet: str
    about: str
    columns: tuple[Column, ...] = field(repr=False)

    @property
    def heads(self) -> dict[str, str]:
        """Name of each column by what may stand at its head, in small letters."""
        return {column.name: column.name for column in self.columns} | {
            column.head.casefold(): column.name for column in self.columns
        }


_CODE = "Choose a code of the list, or write a code of your own that stands on the sheet Indicators."
_SERIES = "Only where one indicator has several measures: the same words as on the sheet Figures."
_UNIT = "Only where one series has several units: the same unit as on the sheet Figures."

FORMS = {
    FIGURES: Form(FIGURES, "One row for each indicator and group, one column for each year.", (
        Column("indicator", "Indicator", _CODE, True, "Indicator", example="11.6.2 Fine particles in cities", width=34),
        Column("series", "Series", "What was measured, in your words. Left empty, it is the name of the indicator.",
               example="mean PM2.5, three stations", width=30),
        Column("unit", "Unit", "What one figure counts, such as % or deaths per 100,000. One unit in a row.", True,
               "Unit", example="µg/m³", width=20),
        Column("breakdown", "Group", "Empty for the whole city. A group as kind=name, such as sex=female; two as "
               "age=15-24;sex=female.", example="", width=20),
        Column("status", "Status", "Empty for final figures. Choose estimated or provisional where all figures of the "
               "row are so.", False, "Status", True, example="", width=14),
        Column("source", "Source", "The short name of where the figures come from, as on the sheet Sources.", True,
               "Source", example="env-office", width=18),
    )),
    INDICATORS: Form(INDICATORS, "Codes of your own, and what you want to say of others. May stay empty.", (
        Column("indicator", "Indicator", "A code of your own, such as cu.1, without spaces; or a code of the list.",
               True, "Indicator", example="cu.1", width=34),
        Column("series", "Series", _SERIES, width=26),
        Column("unit", "Unit", _UNIT, False, "Unit", width=18),
        Column("label", "Label", "A short name for charts, at most 60 letters. A code of your own needs one.",
               example="Homes with a rain tank", width=34),
        Column("sdg_target", "SDG target", "The target that a code of your own stands for.", False, "SDG target", True,
               example="6.4 Water used well, and enough of it", width=30),
        Column("direction", "Direction", "Which way is wanted: increase or decrease. Empty where people may differ.",
               False, "Direction", True, example="increase", width=14),
        Column("definition", "Definition", "How close to the global indicator: same, adapted, other; own for your own.",
               False, "Definition", True, example="own", width=14),
        Column("geography", "Area", "Only where the figures are of another area than the city, such as county.",
               width=18),
        Column("group_of", "Total", "Only where each group has a code of its own: the code of the total.", width=16),
        Column("note", "Note", "What a reader should know of this indicator, in one sentence.", width=44),
    )),
    TARGETS: Form(TARGETS, "What the city wants to reach, who answers for it, and what to show first.", (
        Column("indicator", "Indicator", "The same code as on the sheet Figures.", True, "Indicator",
               example="11.6.2 Fine particles in cities", width=34),
        Column("series", "Series", _SERIES, width=26),
        Column("unit", "Unit", _UNIT, False, "Unit", width=18),
        Column("target", "Target value", "A number, in the unit of the figures.", example=10, width=14),
        Column("target_year", "Target year", "The year by which it is to be reached, such as 2030.", example=2030,
               width=14),
        Column("target_source", "Set by", "Who set the target: a plan, a council decision, a law.",
               example="air quality plan 2022", width=26),
        Column("priority", "Priority", "yes, where the review should show it first.", False, "Priority", True,
               example="yes", width=12),
        Column("department", "Department", "Who answers for the indicator in the city.", example="Environment",
               width=22),
        Column("measure", "Measure", "The decision or recovery measure that the indicator informs.",
               example="low emission zone", width=30),
    )),
    SOURCES: Form(SOURCES, "Where figures and statements come from. Every source of the other sheets stands here.", (
        Column("source", "Source", "A short name: small letters, digits and hyphens, such as env-office.",
               True, example="env-office", width=20),
        Column("publisher", "Publisher", "Who publishes the figures.", True, example="City environment office",
               width=32),
        Column("title", "Title", "What the table, report or database is called.", True,
               example="Air quality yearbook", width=36),
        Column("source_class", "Kind of source", "Choose one of the list.", False, "Kind of source", True,
               example="administrative", width=18),
        Column("retrieved", "Date", "When you took the figures, as 2025-06 or 2025-06-30.", example="2025-06",
               width=12),
        Column("licence", "Licence", "The terms of use. Write not stated where you do not know them.", True,
               example="CC BY 4.0", width=22),
        Column("url", "Web address", "Where others find it.", width=34),
        Column("note", "Note", "What a reader should know of this source.", width=40),
    )),
    NOTES: Form(NOTES, "What else a reader should know: breaks, footnotes, doubts. May stay empty.", (
        Column("indicator", "Indicator", "The code that the note is about; empty for the whole review.", False,
               "Indicator", example="11.6.2 Fine particles in cities", width=34),
        Column("note", "Note", "One or two sentences.", True, example="A fourth station opened in 2018.", width=80),
        Column("by", "Written by", "Who wrote the note, such as a department.", example="Environment", width=24),
    )),
}  # fmt: skip

_VOICES_HELP = {
    "evidence": "A short name for the survey, workshop or log, such as survey-2024.",
    "kind": "What it was: choose one of the list.",
    "title": "What it was called.",
    "organiser": "Who did it.",
    "period": "When: 2024, 2024-05, 2024-05-14, or a start and a length such as 2024-03-01/P3M.",
    "place": "Empty for the whole city; a part of it as kind=name, such as district=Centro.",
    "participants": "How many people took part, there. <5 where it is kept secret.",
    "population": "How many could have taken part: drawn, invited or reached. May stay empty.",
    "chosen": "How those who took part were chosen: choose one of the list.",
    "groups": "Who is among them, such as young people, people with disabilities.",
    "consent": "What they agreed to: choose one of the list.",
    "theme": "What they spoke of, in a few words. The same words in all rows of the theme.",
    "target": "The SDG target that the theme belongs to.",
    "indicator": "The indicator that measures the theme, if there is one.",
    "series": "Only where the indicator has several series.",
    "unit": "Needed where a series is named.",
    "says": "What they say of it: choose one of the list.",
    "count": "How many said so. <5 where it is kept secret.",
    "quotation": "The words of one person, only with consent.",
    "source": "As on the sheet Sources.",
    "note": "What else a reader should know.",
}
_VOICES_CHOICES = {"kind": "Kind", "chosen": "Chosen", "consent": "Consent", "says": "Says", "source": "Source"}
_VOICES_EXAMPLE = {
    "evidence": "survey-2024", "kind": "poll", "title": "Street survey on the bus", "organiser": "City",
    "period": "2024-05", "participants": 400, "chosen": "random sample", "consent": "anonymous",
    "theme": "waiting for the bus", "target": "11.2", "says": "improves", "count": 180, "source": "env-office",
}  # fmt: skip
FORMS[VOICES] = Form(VOICES, "What residents say: one row for each statement on a theme. May stay empty.", tuple(
    Column(name, name, _VOICES_HELP[name], name in VOICES_FILLED, _VOICES_CHOICES.get(name, ""),
           name in ("kind", "chosen", "consent", "says"), _VOICES_EXAMPLE.get(name, ""),
           30 if name in ("title", "theme", "quotation", "note") else 15)
    for name in VOICES_COLUMNS
))  # fmt: skip
ORDER = (FIGURES, INDICATORS, TARGETS, VOICES, SOURCES, NOTES)
