"""The SDMX structure of a hand-over: code lists, concepts, data structure, made from the words of one table."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from hashlib import sha256

from pysdmx.io.json.sdmxjson2.writer.v2_0.structure import write as write_structure
from pysdmx.model import Agency, Code, Codelist, Concept, ConceptScheme, DataType, Role
from pysdmx.model.dataflow import Component, Components, DataStructureDefinition
from pysdmx.model.message import Header

from vlr_analysis.exhibits import slug

AGENCY, ID, VERSION = "VLR", "VLR_INDICATORS", "1.0"

FREQUENCIES = {"A": "Annual", "Q": "Quarterly", "M": "Monthly", "W": "Weekly", "D": "Daily", "_O": "Other length"}
UNITS = {"%": "PERCENT"}
KNOWN = {"SEX": {"female": "F", "male": "M"}}
STATUS_NAMES = {
    "A": "Normal value", "B": "Time series break", "E": "Estimated value", "P": "Provisional value",
    "O": "Missing value", "M": "Missing value; data cannot exist", "Q": "Missing value; suppressed",
}  # fmt: skip
CONFIDENTIALITY_NAMES = {"F": "Free", "C": "Confidential statistical information"}
NAMED = {"definition": "DEFINITION", "comparability": "COMPARABILITY", "grade": "QUALITY_GRADE"}

_CONCEPTS = {
    "FREQ": "Frequency", "REF_AREA": "Reference area", "INDICATOR": "Indicator", "SERIES": "Series",
    "UNIT_MEASURE": "Unit of measure", "TIME_PERIOD": "Time period", "OBS_VALUE": "Observation value",
    "OBS_STATUS": "Observation status", "CONF_STATUS": "Confidentiality status",
    "LOWER_BOUND": "Lower end of the source's own 95 % interval",
    "UPPER_BOUND": "Upper end of the source's own 95 % interval",
    "INDICATOR_CODE": "Code of the indicator as the review writes it", "SERIES_NAME": "Measure in words",
    "UNIT_NAME": "Unit in words", "BREAKDOWN": "Breakdown in words, empty for the total",
    "DEFINITION": "Relation to the global indicator: same, adapted, other, own",
    "COMPARABILITY": "Comparability with the nation's counterpart: same, near, context, blocked; empty where unpaired",
    "QUALITY_GRADE": "Grade of the evidence, A to D", "SOURCE": "Id in the sources table",
    "SOURCE_DETAIL": "Publisher, title and terms of the source", "COMMENT": "Remark",
}  # fmt: skip
_NUMBERS = {"OBS_VALUE", "LOWER_BOUND", "UPPER_BOUND"}
_BEFORE = ("FREQ", "REF_AREA", "INDICATOR", "SERIES", "UNIT_MEASURE")
_AFTER = tuple(name for name in _CONCEPTS if name not in (*_BEFORE, "TIME_PERIOD", "OBS_VALUE"))


def codes_of(texts: Iterable[str], known: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return an SDMX code for each text: the known one, else its letters; texts that fall together get a mark each."""
    known = known or {}
    texts = sorted(set(map(str, texts)))
    bare = {text: known.get(text) or _letters(text) for text in texts}
    count = Counter(bare.values())
    return {text: code if code and count[code] == 1 else f"{code or 'X'}_{_mark(text)}" for text, code in bare.items()}


def concepts_of(dimensions: Iterable[str]) -> dict[str, str]:
    """Return the name of a component for each breakdown dimension; it begins with a letter and is no other's name."""
    made = codes_of(dimensions)
    return {
        name: f"BY_{code}" if code in _CONCEPTS or not code[0].isalpha() else code for name, code in made.items()
    }  # fmt: skip


def _letters(text: str) -> str:
    plain = "_".join(filter(None, map(slug, re.split(r"[^\w]+", text)))).replace("-", "_").upper()
    return plain if len(plain) <= 60 else f"{plain[:48].rstrip('_')}_{_mark(text)}"


def _mark(text: str) -> str:
    return sha256(text.encode("utf-8")).hexdigest()[:6].upper()


def data_structure(
    codes: Mapping[str, Mapping[str, str]], dimensions: Mapping[str, str], name: str
) -> DataStructureDefinition:
    """Return the data structure of a feed.

    Parameters
    ----------
    codes : mapping
        For each coded dimension {code: words}.
    dimensions : mapping
        Those of them that are breakdowns, with the name that the table gives them.
    name : str
        Title of the data set.
    """
    titles = {**_CONCEPTS, **{column: f"Breakdown by {words}" for column, words in dimensions.items()}}
    lists = {**codes, "OBS_STATUS": STATUS_NAMES, "CONF_STATUS": CONFIDENTIALITY_NAMES}
    parts = [_component(column, Role.DIMENSION, lists, titles) for column in (*_BEFORE, *dimensions, "TIME_PERIOD")]
    parts.append(_component("OBS_VALUE", Role.MEASURE, lists, titles))
    parts += [_component(column, Role.ATTRIBUTE, lists, titles) for column in _AFTER]
    agency = Agency(id=AGENCY, name="VLR Analysis Kit")
    return DataStructureDefinition(
        id=ID, name=name, agency=agency, version=VERSION, components=Components(parts)
    )  # fmt: skip


def _component(column: str, role: Role, lists: Mapping[str, Mapping[str, str]], titles: Mapping[str, str]) -> Component:
    dtype = DataType.DOUBLE if column in _NUMBERS else DataType.STRING
    dtype = DataType.PERIOD if column == "TIME_PERIOD" else dtype
    enumerated = _code_list(column, lists[column], titles[column]) if column in lists else None
    concept = Concept(
        id=column,
        name=titles[column],
        dtype=dtype,
        codes=enumerated,
        urn=f"urn:sdmx:org.sdmx.infomodel.conceptscheme.Concept={AGENCY}:CS_{ID}({VERSION}).{column}",
    )
    return Component(
        id=column,
        required=role == Role.DIMENSION or column in ("OBS_STATUS", "CONF_STATUS"),
        role=role,
        concept=concept,
        local_dtype=dtype,
        local_codes=enumerated,
        local_enum_ref=_list_urn(column) if enumerated else None,
        attachment_level="O" if role == Role.ATTRIBUTE else None,
    )


def _code_list(column: str, names: Mapping[str, str], title: str) -> Codelist:
    items = [Code(id=code, name=words or code) for code, words in names.items()]
    agency = Agency(id=AGENCY, name="VLR Analysis Kit")
    return Codelist(id=f"CL_{column}", name=title, agency=agency, version=VERSION, items=items)


def _list_urn(column: str) -> str:
    return f"urn:sdmx:org.sdmx.infomodel.codelist.Codelist={AGENCY}:CL_{column}({VERSION})"


def as_json(made: DataStructureDefinition, name: str) -> str:
    """Return code lists, concepts and data structure as an SDMX-JSON 2.0 structure message; it bears no date."""
    lists = [part.local_codes for part in made.components if part.local_codes]
    concepts = [part.concept for part in made.components]
    scheme = ConceptScheme(id=f"CS_{ID}", name=name, agency=made.agency, version=VERSION, items=concepts)
    header = Header(id=ID, prepared=datetime(2000, 1, 1, tzinfo=UTC), sender=AGENCY)
    content = json.loads(write_structure([*lists, scheme, made], header=header))
    for item in content["data"]["dataStructures"]:
        # pysdmx 1.21 writes "groups": [], which the SDMX-JSON schema refuses.
        if not item["dataStructureComponents"].get("groups"):
            item["dataStructureComponents"].pop("groups", None)
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"
