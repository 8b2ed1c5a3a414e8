"""The VLR Analysis Kit: from a city's indicator figures to the findings of a voluntary local review.

Notebooks import from here: `load_city`, and the modules of analyses, figures and findings. Each is loaded when it is
first asked for: a command that needs none of them is not kept waiting.
"""

from importlib import import_module
from typing import Any

__all__ = [
    "City",
    "benchmark",
    "breakdowns",
    "catalogue",
    "checklist",
    "cities_of",
    "comparison",
    "covid",
    "disparities",
    "exhibits",
    "figures",
    "figures_groups",
    "figures_places",
    "figures_readiness",
    "figures_voices",
    "findings",
    "grades",
    "lead",
    "links",
    "load_city",
    "own_methods",
    "pooling",
    "progress",
    "readiness",
    "requests",
    "results",
    "smell",
    "statements",
    "statements_evidence",
    "statements_places",
    "trends",
    "vlr_counts",
    "voices",
]
FROM_CITIES = ("City", "vlr_counts")


def load_city(city: Any, root: Any = None, *, internal: bool = False, language: str = "") -> Any:
    """Load a city for a notebook, as `cities.load_city` does; from here on the notebook speaks the city's language."""
    loaded = import_module("vlr_analysis.cities").load_city(city, root, internal=internal, language=language)
    import_module("vlr_analysis.language").use(loaded.language)
    return loaded


def cities_of(cities: Any, *, internal: bool = False, language: str = "") -> Any:
    """Load several cities for a notebook, as `cities.cities_of` does; it speaks English unless told otherwise."""
    loaded = import_module("vlr_analysis.cities").cities_of(cities, internal=internal, language=language)
    import_module("vlr_analysis.language").use(language or "en")
    return loaded


def __getattr__(name: str) -> Any:
    """Load a module of the public face, or a name of `cities`."""
    if name in FROM_CITIES:
        return getattr(import_module("vlr_analysis.cities"), name)
    if name in __all__:
        return import_module(f"vlr_analysis.{name}")
    raise AttributeError(f"module 'vlr_analysis' has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the public face."""
    return sorted(__all__)
