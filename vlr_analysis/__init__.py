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
    findings,
    links,
    progress,
    trends,
)
from vlr_analysis.cities import City, load_city

__all__ = [
    "City",
    "benchmark",
    "catalogue",
    "comparison",
    "covid",
    "disparities",
    "exhibits",
    "figures",
    "findings",
    "links",
    "load_city",
    "progress",
    "trends",
]
