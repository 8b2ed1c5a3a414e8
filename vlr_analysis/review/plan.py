"""What must run, every chosen city with every chosen notebook, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from vlr_analysis.errors import Problem, raise_if_any
from vlr_analysis.language import SOURCE
from vlr_analysis.method_files import METHODS, files_of_methods
from vlr_analysis.params import PARAMS, Parameters, city_ids

NOTEBOOKS = "notebooks"
OVERVIEW = "cities_overview"
OWN_METHODS = "09_own_methods"  # runs only where the project has methods of its own
SUMMING_UP = "08_findings"  # the chapter that repeats findings of the others; without it there is no hand-over
LIMIT = 900.0  # seconds that one notebook may take; the slowest of ours takes a few


@dataclass(frozen=True)
class Task:
    """One notebook to run, for one city or over several.

    Attributes
    ----------
    folder : str
        Where its results go, below the folder of the reports: the id of the city, or the overview's.
    title : str
        Name of the city, as progress lines and messages show it.
    notebook : Path
    root : Path
        Folder of the project.
    parameters : mapping
        What papermill puts in the place of the parameters cell.
    """

    folder: str
    title: str
    notebook: Path
    root: Path
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def cities(self) -> tuple[str, ...]:
        """Ids of the cities that the notebook tells of."""
        return tuple(self.parameters["cities"] if "cities" in self.parameters else [self.parameters["city"]])

    @property
    def name(self) -> str:
        """City and notebook, as progress lines and messages show them."""
        return f"{self.title} · {self.notebook.stem}"


@dataclass(frozen=True)
class Outcome:
    """What became of a task: the executed notebook, and the error where it failed.

    Attributes
    ----------
    task : Task
    path : Path
        The executed notebook; absent where it failed before it could be written.
    error : str
        Why it failed; empty where it didn't.
    cell : int or None
        Where it failed: number among the code cells of the executed notebook, from 1.
    fault : bool
        Whether the machine failed rather than the notebook: its kernel died, it hung, the disk was full.
    """

    task: Task
    path: Path
    error: str = ""
    cell: int | None = None
    fault: bool = False

    @property
    def failed(self) -> bool:
        """Whether the notebook stopped before its end."""
        return bool(self.error)


def chosen_cities(root: Path, wanted: Sequence[str]) -> list[str]:
    """Return the ids to run: those asked for, or all of `params/`.

    Raises
    ------
    InputError
        There is no parameter file at all.
    """
    known = city_ids(root)
    problems = []
    if not known and not wanted:
        problems.append(
            Problem(f"{PARAMS}/", "no YAML file", "one file per city", f"copy a city's file to {PARAMS}/<city>.yaml")
        )
    raise_if_any(f"{PARAMS}/", problems)
    return sorted(set(wanted)) if wanted else known


def chosen_notebooks(root: Path, wanted: Iterable[str]) -> list[Path]:
    """Return the notebooks to run in reading order: those asked for, by name or by number, or all.

    Raises
    ------
    InputError
        With every name that fits no notebook, or because there is none.
    """
    known = [*sorted((root / NOTEBOOKS).glob("[0-9]*.ipynb")), *(root / NOTEBOOKS).glob(f"{OVERVIEW}.ipynb")]
    own = bool(files_of_methods(root))
    known = [path for path in known if own or path.stem != OWN_METHODS]
    stems = [path.stem for path in known]
    chosen, problems = set(), []
    if not known:
        problems.append(Problem(f"{NOTEBOOKS}/", "no notebook", "files such as 02_trends.ipynb", "restore the folder"))
    for name in wanted:
        stem = Path(name).stem
        fits = [known[i] for i, other in enumerate(stems) if stem in (other, other.split("_")[0])]
        if fits:
            chosen.update(fits)
            continue
        if stem in (OWN_METHODS, OWN_METHODS.split("_")[0]) and not own:
            fix = "begin a method with: vlr new-method NAME"
            problems.append(Problem("--notebook", repr(name), f"a method of this project in {METHODS}/", fix))
            continue
        near = get_close_matches(stem, stems, n=1, cutoff=0.4)
        fix = f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(stems)}"
        problems.append(Problem("--notebook", repr(name), f"a notebook of {NOTEBOOKS}/", fix))
    raise_if_any(f"{NOTEBOOKS}/", problems)
    return sorted(chosen, key=known.index) if chosen else known


def plan(
    cities: Sequence[Parameters], notebooks: Sequence[Path], root: Path, *, internal: bool, language: str = ""
) -> list[Task]:
    """Return every city with every notebook, cities first, notebooks in reading order; the overview of them last.

    The overview is told in the language of all its cities where they have one in common.
    """
    single = [notebook for notebook in notebooks if notebook.stem != OVERVIEW]
    tasks, told = [], {"language": language} if language else {}
    for city in cities:
        options = {"city": city.id, "internal": internal} | told
        tasks += [Task(city.id, city.name, notebook, root, options) for notebook in single]
    own = {city.language for city in cities}
    if not told and len(own) == 1 and own != {SOURCE}:
        told = {"language": own.pop()}
    options = {"cities": [city.id for city in cities], "internal": internal} | told
    return tasks + [Task(OVERVIEW, "All cities", path, root, options) for path in notebooks if path.stem == OVERVIEW]
