"""Collect what the kit says into the catalogue template, and bring every catalogue up to date.

python tools/messages.py            make vlr_analysis/locale/vlr.pot, update every vlr.po, say what each lacks
python tools/messages.py --check    say what would change and what a complete language lacks; exit 1 if anything
"""

import argparse
import ast
import importlib.util
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po, write_po

from vlr_analysis import language

ROOT = Path(__file__).resolve().parents[1]
TEMPLATE = language.LOCALE / f"{language.DOMAIN}.pot"
COMPLETE = ("es", "fr")  # languages that must lack nothing; the others are pilots

# Which arguments of a function are messages; "c" is a context. `coded` is what results hold: it gets a context itself.
KEYWORDS = {
    "gettext": None, "_": None, "N_": None, "noop": None, "told": None, "say": None, "coded": None,
    "ngettext": (1, 2), "told_of": (1, 2), "pgettext": ((1, "c"), 2),
}  # fmt: skip
# (file, line, context, message or (one, many), comment for translators)
Found = tuple[str, int, str | None, str | tuple[str, str], str]


def from_python() -> Iterator[Found]:
    """Find the messages of the package's modules."""
    for path in sorted((ROOT / "vlr_analysis").rglob("*.py")):
        yield from _of_code(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))


def _of_code(name: str, code: str) -> Iterator[Found]:
    """Find the calls in the syntax tree: a reader of tokens loses those in f-strings, and beside like-named values."""
    calls = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
    for call in sorted(calls, key=lambda node: (node.lineno, node.col_offset)):
        function = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        texts = [node.value if isinstance(node, ast.Constant) else None for node in call.args]
        if function not in KEYWORDS or not texts or not isinstance(texts[0], str) or not texts[0]:
            continue
        if function == "pgettext":
            yield name, call.lineno, texts[0], texts[1], ""
        elif function in ("ngettext", "told_of"):
            yield name, call.lineno, None, (texts[0], texts[1]), ""
        else:
            yield name, call.lineno, language.CODED if function == "coded" else None, texts[0], ""


def from_headers() -> Iterator[Found]:
    """Find the words at the head of each result column: `HEADERS` and `INTERVALS` of exhibits."""
    path = ROOT / "vlr_analysis" / "exhibits.py"
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        names = [target.id for target in getattr(node, "targets", []) if isinstance(target, ast.Name)]
        if names and names[0] in ("HEADERS", "INTERVALS"):
            for value in node.value.values:
                if isinstance(value, ast.Constant):  # else it is marked, and found with the rest of the code
                    yield "vlr_analysis/exhibits.py", value.lineno, None, value.value, "Heading of a column"


def from_templates() -> Iterator[Found]:
    """Find the messages of the pages' templates."""
    from jinja2.ext import babel_extract

    for path in sorted((ROOT / "vlr_analysis" / "review" / "templates").rglob("*.j2")):
        name = path.relative_to(ROOT).as_posix()
        options = {"newstyle_gettext": "true", "trimmed": "true"}
        with path.open("rb") as file:
            for line, function, texts, comments in babel_extract(file, list(KEYWORDS), ["Translators:"], options):
                texts = texts if isinstance(texts, tuple) else (texts,)
                texts = tuple(text for text in texts if isinstance(text, str))
                if function == "pgettext" and len(texts) == 2:
                    yield name, line, texts[0], texts[1], " ".join(comments)
                elif texts:
                    yield name, line, None, texts[:2] if function == "ngettext" else texts[0], " ".join(comments)


def from_notebooks() -> Iterator[Found]:
    """Find the prose and the captions of the notebooks, where the tool for it is there."""
    path = Path(__file__).with_name("messages_notebooks.py")
    if path.is_file():
        spec = importlib.util.spec_from_file_location("messages_notebooks", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield from module.messages(ROOT)


SOURCES = (from_python, from_headers, from_templates, from_notebooks)


def collected() -> Catalog:
    """Return the template: every message once, in the order of files and lines, with where it stands."""
    catalogue = Catalog(project="VLR Analysis Kit", charset="utf-8", fuzzy=False)
    for source in SOURCES:
        for name, _, context, message, note in source():
            catalogue.add(message, context=context, locations=[(name, 0)], auto_comments=[note] if note else [])
    return catalogue


def written(catalogue: Catalog) -> str:
    """Return a catalogue as text: no dates, no line numbers, so that it changes when a message does and not else."""
    file = io.BytesIO()
    write_po(file, catalogue, width=110, omit_header=True, include_lineno=False, ignore_obsolete=True)
    return _header(catalogue) + file.getvalue().decode()


def _header(catalogue: Catalog) -> str:
    lines = ["Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit"]
    if catalogue.locale:
        lines = [f"Language: {str(catalogue.locale).replace('_', '-')}", f"Plural-Forms: {catalogue.plural_forms}",
                 *lines]  # fmt: skip
    body = "".join(f'"{line}\\n"\n' for line in lines)
    return f'msgid ""\nmsgstr ""\n{body}\n'


def read(path: Path, tag: str | None = None) -> Catalog:
    """Read a template or the catalogue of a language."""
    with path.open("rb") as file:
        return read_po(file, locale=tag.replace("-", "_") if tag else None, domain=language.DOMAIN)


def updated(tag: str, template: Catalog) -> Catalog:
    """Return the catalogue of a language with the messages of the template; what is gone is left out."""
    catalogue = read(language.catalogue_path(tag), tag)
    catalogue.update(template, no_fuzzy_matching=True)
    return catalogue


def faults(catalogue: Catalog) -> list[str]:
    """Say of each message what is wrong with its translation: none, doubtful, other gaps, a plural form missing."""
    found = []
    for message in catalogue:
        if message.id:
            told = _fault(message, catalogue.num_plurals)
            found += [f"{told}: {_first(message)!r}"] if told else []
    return found


def _first(message: Message) -> str:
    return message.id[0] if isinstance(message.id, tuple) else message.id


def _fault(message: Message, plurals: int) -> str:
    texts = message.string if isinstance(message.string, tuple) else (message.string,)
    if not all(texts):
        return "not translated" if not any(texts) else "a plural form is missing"
    if message.fuzzy:
        return "doubtful (fuzzy)"
    if isinstance(message.id, tuple) and len(texts) != plurals:
        return f"{len(texts)} plural forms, not {plurals}"
    wanted = {name for text in _ids(message) for name in _gaps(text)}
    for text in texts:
        try:
            gaps = set(_gaps(text))
        except ValueError:
            return "braces that do not close"
        # One form of a plural may say the number in words.
        if gaps != wanted and not (isinstance(message.id, tuple) and gaps == wanted - {"n"}):
            return f"gaps {sorted(gaps)}, not {sorted(wanted)}"
        if _markup(text) != _markup(_first(message)):
            return "other markup"
    return ""


def _ids(message: Message) -> tuple[str, ...]:
    return message.id if isinstance(message.id, tuple) else (message.id,)


def _gaps(text: str) -> list[str]:
    return language.placeholders(text) if "%(" not in text else re.findall(r"%\((\w+)\)", text)


def _markup(text: str) -> list[str]:
    return sorted(re.findall(r"</?[a-z][^>]*>|^#+ |\*\*|`[^`]+`", text, re.MULTILINE))


def main() -> int:
    """Make or check the catalogues."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if anything would change")
    check = parser.parse_args().check
    template = collected()
    files = {TEMPLATE: template}
    files |= {language.catalogue_path(tag): updated(tag, template) for tag in language.available()[1:]}
    bad = 0
    for path, catalogue in files.items():
        text, name = written(catalogue), path.relative_to(ROOT).as_posix()
        drifted = not path.is_file() or path.read_text(encoding="utf-8") != text
        if drifted and check:
            print(f"{name}: not what the code says. Fix: make messages")
            bad += 1
        elif drifted:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        missing = faults(catalogue) if path != TEMPLATE else []
        print(f"{name}: {len(catalogue)} messages" + (f", {len(missing)} to mend" if path != TEMPLATE else ""))
        for fault in missing[:20]:
            print(f"  {fault}")
        bad += check and bool(missing) and path.parts[-3] in COMPLETE
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
