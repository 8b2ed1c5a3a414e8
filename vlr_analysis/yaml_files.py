"""YAML files that people write: read with all that YAML lets pass refused, and what is wrong told by its key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from vlr_analysis.errors import InputError, Problem


class _NoRepeats(yaml.SafeLoader):
    """YAML as usual, but a key written twice is refused: the usual loader keeps the last without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        seen = set()
        for key, _ in node.value:
            name = self.construct_object(key, deep=True)
            if name in seen:
                raise yaml.constructor.ConstructorError(None, None, f"the key {name!r} stands twice", key.start_mark)
            seen.add(name)
        return super().construct_mapping(node, deep)


def read_mapping(path: Path, root: Path, top: str) -> dict:
    """Read a YAML file whose one top-level key holds everything else.

    Parameters
    ----------
    path : Path
    root : Path
        Folder of the project; messages name the file by its path below it.
    top : str
        The top-level key.

    Returns
    -------
    dict
        What stands below that key.

    Raises
    ------
    InputError
        The file is not UTF-8, not YAML, repeats a key, or has another top.
    """
    name = path.relative_to(root).as_posix()
    try:
        content = yaml.load(path.read_text(encoding="utf-8-sig"), Loader=_NoRepeats)
    except UnicodeDecodeError as error:
        problem = Problem(f"{name}, byte {error.start + 1}", "not UTF-8", "UTF-8 text", "save the file as UTF-8")
        raise InputError(name, [problem]) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{name}, line {mark.line + 1}, column {mark.column + 1}" if mark else name
        found = getattr(error, "problem", None) or "text that is not YAML"
        problem = Problem(where, found, "lines of the form `key: value`, indented by spaces", "mend that line")
        raise InputError(name, [problem]) from None
    except (ValueError, TypeError, RecursionError) as error:  # a date such as 2019-02-30, a list as a key, a long nest
        found = str(error).splitlines()[0][:100]
        problem = Problem(name, found, "dates that exist, and keys that are words", "correct it, or quote the text")
        raise InputError(name, [problem]) from None
    if not isinstance(content, dict) or set(content) != {top} or not isinstance(content[top], dict):
        found = f"top-level keys {', '.join(map(str, content))}" if isinstance(content, dict) and content else "no keys"
        expected = f"one top-level key `{top}` with everything below it"
        raise InputError(name, [Problem(name, found, expected, f"indent all keys below `{top}:`")])
    return content[top]


def problem_of(item: Mapping[str, Any], name: str, model_at: Callable[[tuple], type[BaseModel]]) -> Problem:
    """Say in our words what pydantic has found.

    Parameters
    ----------
    item : mapping
        One of `ValidationError.errors()`.
    name : str
        The file, as messages name it.
    model_at : callable
        Gives the model whose fields stand below a path of keys.
    """
    *above, key = item["loc"]
    text = "".join(f" {part + 1}" if isinstance(part, int) else f".{part}" for part in item["loc"]).lstrip(".")
    where = f"{name}, key {text}"
    fields = model_at(tuple(above)).model_fields
    if item["type"] == "extra_forbidden":
        near = get_close_matches(str(key), fields, n=1, cutoff=0.6)
        fix = f"did you mean {near[0]!r}?" if near else "remove it, or move it below the key it belongs to"
        return Problem(where, f"unknown key {key!r}", f"one of {', '.join(fields)}", fix)
    names = [part for part in item["loc"] if isinstance(part, str)]
    field = model_at(tuple(names[:-1])).model_fields.get(names[-1]) if names else None
    expected = (field.description if field is not None else None) or _fix(item).removeprefix("write ")
    if item["type"] == "missing":
        return Problem(where, "nothing", expected, f"add the key {key!r}")
    found = repr(item["input"]) if not isinstance(item["input"], dict | list) else type(item["input"]).__name__
    return Problem(where, found, expected, _fix(item))


# What to do, by the kind of fault (pydantic's names); gaps are what the fault holds.
_FIXES = {
    "string_type": "write one text: a word, or several in quotes", "int_type": "write a whole number",
    "int_parsing": "write a whole number", "int_from_float": "write a whole number", "float_type": "write a number",
    "float_parsing": "write a number, with a decimal point", "bool_type": "write true or false",
    "bool_parsing": "write true or false", "list_type": "write a list: [one, other]",
    "tuple_type": "write a list: [one, other]", "dict_type": "write keys below it, indented by two spaces",
    "model_type": "write keys below it, indented by two spaces", "too_short": "name at least {min_length}",
    "too_long": "name at most {max_length}", "literal_error": "write one of {expected}",
    "greater_than": "write a number above {gt}", "greater_than_equal": "write a number of at least {ge}",
    "less_than": "write a number below {lt}", "less_than_equal": "write a number of at most {le}",
    "string_too_short": "write at least {min_length} letters", "string_too_long": "write at most {max_length} letters",
    "date_type": "write year, month and day: 2026-01-31", "date_parsing": "write year, month and day: 2026-01-31",
    "date_from_datetime_parsing": "write year, month and day: 2026-01-31",
}  # fmt: skip


def _fix(item: Mapping[str, Any]) -> str:
    if item["type"] in _FIXES:
        return _FIXES[item["type"]].format(**item.get("ctx", {}))
    return f"correct it ({item['msg'].removeprefix('Value error, ')})"
