"""The VLR Analysis Kit: from a city's indicator figures to the findings of a voluntary local review.

Notebooks import from here: `load_city`, and the modules of analyses, figures and findings.
"""

from vlr_analysis import (
    benchmark,
    catalogue,
    comparison,
    covid,
    disparities,
    exhibits,
    figures,
    figures_groups,
    figures_places,
    findings,
    grades,
    lead,
    links,
    pooling,
    progress,
    results,
    smell,
    statements,
    statements_evidence,
    statements_places,
    trends,
    voices,
)
from vlr_analysis.cities import City, cities_of, load_city, vlr_counts

__all__ = [
    "City",
    "benchmark",
    "catalogue",
    "cities_of",
    "comparison",
    "covid",
    "disparities",
    "exhibits",
    "figures",
    "figures_groups",
    "figures_places",
    "findings",
    "grades",
    "lead",
    "links",
    "load_city",
    "pooling",
    "progress",
    "results",
    "smell",
    "statements",
    "statements_evidence",
    "statements_places",
    "trends",
    "vlr_counts",
    "voices",
]
