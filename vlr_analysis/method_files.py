"""Methods that a project adds in `methods/`: their YAML files, checked, and the function of each, loaded anew."""

from __future__ import annotations

import ast
import inspect
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from vlr_analysis.errors import InputError, KitError, Problem, raise_if_any
from vlr_analysis.yaml_files import problem_of, read_mapping

METHODS = "methods"
TOP = "method"
NAME = r"^[a-z][a-z0-9_]{1,39}$"
# Words that a method may give as its verdict: the kit's own, so that pages can sort and translate them.
VERDICTS = (
    "towards the goal", "away from the goal", "no clear trend", "on track", "some progress", "stagnating",
    "moving away", "target met", "not settled", "recovered", "ahead", "not yet", "no clear shock", "cannot tell",
)  # fmt: skip
# What the kit adds to the settings of a method, from the parameters of the city.
OF_CITY = ("baseline_year", "horizon", "reference_year", "seed")
# Columns that the table of a method has already, or gets on its way to a finding or a page.
RESERVED = (
    "area", "indicator", "series", "unit", "breakdown", "first", "last", "result", "low", "high", "verdict", "reason",
    "caveat", "label", "goal", "priority", "grade", "grade_reason", "source", "place", "method", "order", "rank",
)  # fmt: skip
Text = Annotated[str, Field(min_length=1)]
Setting = bool | int | float | str | tuple[int | float | str, ...]


class MethodError(KitError):
    """A method of the project failed; the message names it with file and line."""


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Needs(_Frozen):
    """Which observations a method gets."""

    indicators: tuple[Text, ...] = Field((), description="a list of codes in quotation marks; empty: every indicator")
    yearly: bool = Field(True, description="true for one value a year; false: every period as published")
    groups: bool = Field(False, description="true where it reads groups too; false: totals alone")

    @field_validator("indicators", mode="before")
    @classmethod
    def _codes_are_text(cls, value: Any) -> Any:
        if isinstance(value, list | tuple) and any(not isinstance(code, str) for code in value):
            raise ValueError('put codes in quotation marks, such as ["8.5.2", "cu.7"]')
        return value


class Method(_Frozen):
    """The keys of `methods/<name>.yaml`, below its one top-level key ``method``."""

    name: str = Field(pattern=NAME, description="the name of the file: small letters, digits, underscores")
    title: Text = Field(description="what the method tells, in a few words: it begins each finding and heads the notes")
    label: Text = Field(description="what the column of its result is headed")
    unit: str = Field(description='unit of its result, such as years or %; "" where it has none')
    needs: Needs = Needs()
    columns: dict[str, Text] = Field({}, description="further columns of its result, each with its heading")
    verdicts: tuple[str, ...] = Field(min_length=1, description="words of the kit that it may give")
    reference: Text = Field(description="where the method is described: authors, year, title")
    doi: str = Field(
        pattern=r"^(10\.\d{4,9}/\S+)?$", description='a DOI such as 10.2307/2285891; "" where there is none'
    )
    limits: tuple[Text, ...] = Field(min_length=1, description="a list of what it cannot tell, in words, at least one")
    grade_at_most: Literal["A", "B", "C", "D"] = Field(
        "B", description="A, B, C or D: no finding of it is graded better"
    )
    settings: dict[str, Setting] = Field({}, description="names with numbers, words, or lists of them")

    @property
    def where(self) -> str:
        """Path of its function, below the project."""
        return f"{METHODS}/{self.name}.py"


# --- reading -------------------------------------------------------------------------------------


def method_names(root: Path) -> list[str]:
    """Return the names of the methods of a project, sorted: one for each YAML file in `methods/`."""
    return sorted(path.stem for path in (root / METHODS).glob("*.yaml"))


def files_of_methods(root: Path) -> list[str]:
    """Return every file that a method is made of, by its path below the project, sorted."""
    found = [path for ending in ("yaml", "py") for path in (root / METHODS).glob(f"*.{ending}")]
    return sorted(path.relative_to(root).as_posix() for path in found)


def read_methods(root: Path) -> list[Method]:
    """Read and check every method of a project.

    Parameters
    ----------
    root : Path
        Folder of the project.

    Returns
    -------
    list of Method
        By name; none where there is no folder `methods/`.

    Raises
    ------
    InputError
        With every problem of every file.
    """
    found, problems = [], list(_lonely(root))
    for name in method_names(root):
        try:
            found.append(read_method(name, root))
        except InputError as error:
            problems += error.problems
    raise_if_any(f"{METHODS}/", problems)
    return found


def read_method(name: str, root: Path) -> Method:
    """Read and check one method by its name.

    Raises
    ------
    InputError
        With every problem of its files.
    """
    path = root / METHODS / f"{name}.yaml"
    if not path.is_file():
        known = method_names(root)
        near = get_close_matches(name, known, n=1, cutoff=0.5)
        fix = f"did you mean {near[0]!r}?" if near else f"vlr new-method {name}"
        raise InputError(f"method {name!r}", [Problem(f"{METHODS}/", f"no file {name}.yaml", "one file a method", fix)])
    where = path.relative_to(root).as_posix()
    content = read_mapping(path, root, TOP)
    try:
        method = Method.model_validate(content)
    except ValidationError as error:
        found = [problem_of(item, where, _model_at) for item in error.errors(include_url=False)]
        raise InputError(where, [*found, *_no_function(name, root)]) from None
    raise_if_any(where, [*_outer_problems(method, where, name), *_no_function(name, root)])
    return method


def _model_at(path: tuple) -> type[BaseModel]:
    return Needs if path[:1] == ("needs",) else Method


def _no_function(name: str, root: Path) -> Iterator[Problem]:
    if not (root / METHODS / f"{name}.py").is_file():
        found, fix = f"no file {METHODS}/{name}.py", f"write it, or begin with: vlr new-method {name}"
        yield Problem(f"{METHODS}/{name}.yaml", found, f"a function {name} there", fix)


def _lonely(root: Path) -> Iterator[Problem]:
    known = method_names(root)
    for path in sorted((root / METHODS).glob("*.py")):
        if path.stem not in known:
            near = get_close_matches(path.stem, known, n=1, cutoff=0.6)
            more = f"did you mean {near[0]}.py? Else write the YAML file" if near else "write the YAML file"
            fix = f"{more}, or begin with: vlr new-method {path.stem}"
            yield Problem(f"{METHODS}/{path.name}", "a function without its YAML file", f"{path.stem}.yaml", fix)


def _outer_problems(method: Method, where: str, name: str) -> Iterator[Problem]:
    if method.name != name:
        yield Problem(f"{where}, key name", repr(method.name), f"{name!r}, the name of the file", "make the two equal")
    for number, word in enumerate(method.verdicts, 1):
        if word not in VERDICTS:
            near = get_close_matches(word, VERDICTS, n=1, cutoff=0.6)
            fix = f"did you mean {near[0]!r}?" if near else "choose one of these words"
            yield Problem(f"{where}, key verdicts {number}", repr(word), f"one of {', '.join(VERDICTS)}", fix)
    for key in sorted(set(method.settings) & set(OF_CITY)):
        fix = "take the key out, or name it otherwise"
        yield Problem(f"{where}, key settings.{key}", repr(key), "a name that no parameter of the city has", fix)
    for column in method.columns:
        if re.fullmatch(r"[a-z][a-z0-9_]*", column) is None:
            fix = "write it so, here and in the function"
            yield Problem(f"{where}, key columns.{column}", repr(column), "small letters, digits, underscores", fix)
        elif column in RESERVED:
            expected = f"a name other than {', '.join(RESERVED)}, which the kit uses"
            fix = "rename it here and in the function, such as " + f"{name}_{column}"
            yield Problem(f"{where}, key columns.{column}", repr(column), expected, fix)


# --- the function --------------------------------------------------------------------------------


def load_function(method: Method, root: Path) -> Callable[..., Any]:
    """Return the function of a method, compiled from its file as it is now.

    Nothing is kept between two calls and no bytecode is written: a changed file is a changed function.

    Raises
    ------
    MethodError
        The file cannot be run, has no function of that name, or one that does not take two arguments.
    """
    path = root / method.where
    module = ModuleType(f"vlr_method_{method.name}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # dataclasses look their module up
    try:
        exec(compile(path.read_bytes(), str(path), "exec"), module.__dict__)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise failed(method, root, error) from None
    function = getattr(module, method.name, None)
    wanted = f"def {method.name}(observations, settings)"
    if not callable(function):
        near = get_close_matches(method.name, [key for key in vars(module) if not key.startswith("_")], n=1)
        more = f"; did you mean {near[0]!r}?" if near else ""
        raise MethodError(f"method {method.name}, {method.where}: no function of that name; expected {wanted}{more}")
    try:
        inspect.signature(function).bind(None, None)
    except TypeError:
        line = inspect.unwrap(function).__code__.co_firstlineno if inspect.isfunction(function) else 1
        found = f"{method.name}{inspect.signature(function)}"
        raise MethodError(
            f"method {method.name}, {method.where}, line {line}: found {found}; expected {wanted}"
        ) from None
    return function


def failed(method: Method, root: Path, error: BaseException) -> MethodError:
    """Return what went wrong in a method's file: its last line there, and what Python says."""
    path = str(root / method.where)
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
    if isinstance(error, SyntaxError) and error.filename == path:
        lines = [error.lineno]
    where = f"{method.where}, line {lines[-1]}" if lines else method.where
    return MethodError(f"method {method.name}, {where}: {error_in_words(error)}")


def error_in_words(error: BaseException) -> str:
    """Return the name of an error and what it says, in one line; an error that cannot say anything gives its name."""
    try:
        said = " ".join(str(error.msg if isinstance(error, SyntaxError) else error).split())[:300]
    except Exception:
        said = ""
    return f"{type(error).__name__}{f': {said}' if said else ''}"


def docstring(method: Method, root: Path) -> str:
    """Return what the docstring of a method's function says before its sections; the file is read, not run."""
    try:
        tree = ast.parse((root / method.where).read_bytes())
    except SyntaxError:
        return ""
    found = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == method.name)
    text = next((ast.get_docstring(node) or "" for node in found), "")
    return re.split(r"\n[ \t]*\w[\w ]*\n[ \t]*-{3,}", text)[0].strip()
