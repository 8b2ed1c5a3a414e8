"""The directive `vlr-commands`: every command of the kit as its own help tells it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer
from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx

from vlr_analysis.cli import app


def commands(group: Any, above: str = "vlr") -> Iterator[tuple[str, Any]]:
    """Yield the commands of a group and of the groups below it, each with what is typed."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{above} {name}")
        else:
            yield f"{above} {name}", command


def usage(typed: str, command: Any) -> str:
    """Return the line that shows what may be typed: its arguments, then that there are options."""
    words = [typed]
    for one in command.params:
        if one.param_type_name == "argument":
            name = (one.metavar or one.name.upper()).removesuffix("...") + ("..." if one.nargs == -1 else "")
            words.append(name if one.required else f"[{name}]")
    return " ".join([*words, "[OPTIONS]"])


def _paragraph(text: str) -> nodes.paragraph:
    return nodes.paragraph("", text)


def _parameter(one: Any) -> nodes.definition_list_item:
    argument = one.param_type_name == "argument"
    name = (one.metavar or one.name.upper()) if argument else ", ".join(one.opts)
    notes = [] if argument or not one.required else ["needed"]
    if not argument and one.default not in (None, "", False, []):
        notes.append(f"default: {one.default}")
    text = (one.help or "") + (f" ({', '.join(notes)})" if notes else "")
    return nodes.definition_list_item(
        "", nodes.term("", "", nodes.literal("", name)), nodes.definition("", _paragraph(text))
    )


class Commands(Directive):
    """Write a section for each command: what it does, usage, arguments and options, an example."""

    def run(self) -> list[nodes.Node]:
        """Return the sections."""
        made: list[nodes.Node] = []
        for typed, command in commands(typer.main.get_command(app)):
            section = nodes.section(ids=[typed.replace(" ", "-")], names=[typed])
            section += nodes.title("", typed)
            section += [_paragraph(" ".join(part.split())) for part in (command.help or "").split("\n\n")]
            section += nodes.literal_block("", usage(typed, command), language="text")
            shown = [one for one in command.params if not getattr(one, "hidden", False)]
            if shown:
                section += nodes.definition_list("", *map(_parameter, shown))
            if command.epilog:
                section += _paragraph(command.epilog)
            made.append(section)
        return made


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("vlr-commands", Commands)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
