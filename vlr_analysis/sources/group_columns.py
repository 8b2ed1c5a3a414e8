"""Columns of groups, read as wholes: what their letters and their empty cells mean depends on what else they hold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from vlr_analysis.errors import InputError, Problem
from vlr_analysis.exhibits import slug
from vlr_analysis.sources.cells import read_text, shown
from vlr_analysis.sources.names import category_of, is_subtotal, sexes_of
from vlr_analysis.sources.places import is_elsewhere
from vlr_analysis.sources.reading import Gathering
from vlr_analysis.sources.sheet_grid import Sheet

OWN = "breakdown"  # the kit's own column holds pairs; empty, it is the total
TOLD = 5
_OF_PARTS = frozenset({"ward", "district", "neighbourhood", "neighborhood", "area", "region", "location", "locality",
                       "zone", "borough", "level", "geography", "place", "parish", "comuna", "quartier", "freguesia",
                       "localidad", "parroquia"})  # fmt: skip


@dataclass(frozen=True)
class Row:
    """A row with figures: its position in `Sheet.rows`, its series, its period, and what its columns of groups say."""

    place: int
    series: Hashable
    period: str
    texts: Mapping[int, str]


@dataclass(frozen=True)
class Groups:
    """Columns of groups as they were settled.

    Attributes
    ----------
    dimensions : dict
        Breakdown by column; of two columns that say the same, the first.
    places : frozenset of int
        The rows whose groups are plain.
    """

    dimensions: dict[int, str]
    places: frozenset[int]
    _words: dict[int, dict[str, str]]

    def pairs(self, text_of: Callable[[int], str]) -> list[tuple[str, str]]:
        """Return breakdown and group of a row, given the text of each column; an empty group is everybody."""
        return [(name, self._words[column].get(text_of(column), "")) for column, name in self.dimensions.items()]


def settle(
    gathering: Gathering, sheet: Sheet, dimensions: Mapping[int, str], rows: Sequence[Row], *, heads: int,
    codes: bool = False,
) -> Groups:  # fmt: skip
    """Say what the columns of groups mean.

    Parameters
    ----------
    gathering : Gathering
    sheet : Sheet
    dimensions : mapping
        Breakdown by column.
    rows : sequence of Row
        Those of the area that hold a figure.
    heads : int
        Position of the first row below the headings.
    codes : bool
        The source writes codes of SDMX, and an empty cell there is everybody.

    Returns
    -------
    Groups
        Rows of subtotals are left out, and that is noted. A row with an empty cell is not taken where it is not plain
        what the cell means, and that is told.

    Raises
    ------
    InputError
        The letter of a sex that nothing settles; two columns of one breakdown that are at odds; the name of the area
        among the groups.

    Notes
    -----
    An empty cell can be everybody, or go on with the group above it. It is taken for everybody, and that is noted,
    where the column never writes a total for the series and

    - in every period for which the series has a group, it also has a row without any, and the other groups of the row
      never stand together with a group of this column; or
    - beside the row stands a group with all else the same, and so in every period that has such an empty cell; or
    - the series has no group in this column at all, while the column has two groups or more of other series, each of
      which stands in one piece, or an empty cell of it was settled by one of the rules above.
    """
    dimensions = dict(dimensions)
    words = {
        column: _words(sheet, column, name, rows, heads, codes, gathering.area) for column, name in dimensions.items()
    }
    if not codes:
        _refuse_area(gathering, sheet, dimensions, words, rows, heads)
    _join_twins(gathering, sheet, dimensions, words, rows, heads)
    rows = _without_subtotals(gathering, sheet, dimensions, words, rows)
    columns = [column for column, name in dimensions.items() if name != OWN]
    unclear = set() if codes else _settle_empty(gathering, sheet, columns, words, rows, heads)
    return Groups(dimensions, frozenset(row.place for row in rows) - unclear, words)


def _heading(sheet: Sheet, column: int, heads: int) -> str:
    texts = (read_text(sheet.at(row, column))[0] for row in reversed(range(heads)))
    return next(filter(None, texts), "without a heading")


def _whole(text: str, area: str) -> bool:
    """Whether a group is the whole of the area by name: ``Leeds total``, ``Total Leeds``."""
    return slug(text) in (f"{area}-total", f"total-{area}", f"{area}-overall", f"{area}-gesamt", f"{area}-insgesamt")


def _words(
    sheet: Sheet, column: int, name: str, rows: Sequence[Row], heads: int, codes: bool, area: str
) -> dict[str, str]:
    seen = {row.texts[column]: row.place for row in reversed(rows)}
    if name == OWN:
        return {text: text for text in seen}
    found = {text: "" if _whole(text, area) else category_of(name, text) for text in seen}
    if name == "sex":
        # Rows of other areas may hold the letter that settles it.
        every = set()
        if {slug(text) for text in seen} & {"m", "v"}:
            every = {read_text(sheet.at(row, column))[0] for row in range(heads, len(sheet.rows))}
        heading = next((text for row in range(heads) if slug(text := read_text(sheet.at(row, column))[0]) in
                        ("sexo", "genero")), "")  # fmt: skip
        letters = sexes_of(every | set(seen), heading, codes=codes)
        if letters is None:
            place = next((row for text, row in seen.items() if slug(text) in ("m", "v")), None)
            if place is not None:
                fix = "write women and men in words"
                problem = Problem(sheet.where(place, column), shown(sheet.at(place, column)), "one of the sexes", fix)
                raise InputError(sheet.file, [problem])
        found |= {text: sex for text, sex in (letters or {}).items() if text in found}
    return found


def _refuse_area(
    gathering: Gathering, sheet: Sheet, dimensions: Mapping[int, str], words: Mapping[int, Mapping[str, str]],
    rows: Sequence[Row], heads: int,
) -> None:  # fmt: skip
    for column, name in dimensions.items():
        ours = {text for text in words[column] if slug(text) == gathering.area} if name != OWN else set()
        if ours:
            place = next(row.place for row in rows if row.texts[column] in ours)
            heading = _heading(sheet, column, heads)
            fix = f"head the column Area if it holds areas ({heading!r} is read as one of groups); "
            fix += "write Total where it stands for the whole city"
            found = f"the area itself, {shown(sheet.at(place, column))}, as a group"
            raise InputError(sheet.file, [Problem(sheet.where(place, column), found, "parts of the area", fix)])
        above = {text for text in words[column] if is_elsewhere(text)} if set(name.split("-")) & _OF_PARTS else set()
        if above:
            place = next(row.place for row in rows if row.texts[column] in above)
            fix = "take those rows out: they are of another place"
            found = f"{shown(sheet.at(place, column))} as a group of {gathering.area}"
            raise InputError(sheet.file, [Problem(sheet.where(place, column), found, "parts of the area", fix)])


def _join_twins(
    gathering: Gathering, sheet: Sheet, dimensions: dict[int, str], words: Mapping[int, Mapping[str, str]],
    rows: Sequence[Row], heads: int,
) -> None:  # fmt: skip
    """Leave out the second of two columns of one breakdown, such as Sex and Gender; refuse them where they differ."""
    first: dict[str, int] = {}
    for column, name in sorted(dimensions.items()):
        other = first.setdefault(name, column)
        if other == column:
            continue
        for row in rows:
            one, two = words[other][row.texts[other]], words[column][row.texts[column]]
            if one != two:
                found = f"{shown(row.texts[other])} and {shown(row.texts[column])}, both {name}"
                fix = "keep one of the two columns, or head them with different names"
                where = f"{sheet.where(row.place, other)} and {sheet.cell(row.place, column)}"
                raise InputError(sheet.file, [Problem(where, found, "one group", fix)])
        del dimensions[column]
        where = sheet.where(max(heads - 1, 0), column)
        gathering.mended(where, _heading(sheet, column, heads), "nothing", [f"a second column of {name}, the same"])


def _without_subtotals(
    gathering: Gathering, sheet: Sheet, dimensions: Mapping[int, str], words: Mapping[int, Mapping[str, str]],
    rows: Sequence[Row],
) -> Sequence[Row]:  # fmt: skip
    left_out = set()
    for column in dimensions:
        sums = {text for text in words[column] if is_subtotal(text)}
        for row in rows if sums else ():
            if row.texts[column] in sums:
                why = "a subtotal is neither a group nor the total: left out"
                gathering.mended(sheet.where(row.place, column), row.texts[column], "nothing", [why])
                left_out.add(row.place)
    return [row for row in rows if row.place not in left_out] if left_out else rows


# --- empty cells -----------------------------------------------------------------------------------------


def _settle_empty(
    gathering: Gathering, sheet: Sheet, columns: Sequence[int], words: Mapping[int, Mapping[str, str]],
    rows: Sequence[Row], heads: int,
) -> set[int]:  # fmt: skip
    """Return the rows in which an empty cell is not plain, which is told; what is taken for everybody is noted."""
    if all(words[column].get("", "there") == "there" for column in columns):
        return set()  # no cell is empty
    group = {row.place: {column: words[column][row.texts[column]] for column in columns} for row in rows}
    of_series: dict[Hashable, list[Row]] = defaultdict(list)
    for row in rows:
        of_series[row.series].append(row)
    left_out: set[int] = set()
    for column in columns:
        empty = [row for row in rows if not row.texts[column]]
        if not empty or not any(group[row.place][column] for row in rows):
            continue
        settled, waiting = False, []
        unclear: set[int] = set()
        for own in of_series.values():
            blank = [row for row in own if not row.texts[column]]
            if not blank:
                continue
            if any(row.texts[column] and not group[row.place][column] for row in own):
                unclear |= {row.place for row in blank}  # it writes a total elsewhere
            elif (totals := _has_totals(own, group)) or any(group[row.place][column] for row in own):
                wrong = _alone(own, blank, column, columns, group)
                if totals and wrong:
                    wrong -= _margins(own, blank, column, group)
                settled, unclear = settled or len(wrong) < len(blank), unclear | wrong
            else:
                waiting.append(blank)
        if waiting and not settled and not _in_pieces(rows, column, group):
            unclear |= {row.place for blank in waiting for row in blank}
        heading = _heading(sheet, column, heads)
        taken = [row for row in empty if row.place not in unclear]
        if taken:
            found = f"{len(taken)} empty cell{'s' * (len(taken) > 1)} below {heading}"
            gathering.mended(
                sheet.where(taken[0].place, column), found, "everybody", ["no group beside rows of groups"]
            )
        if unclear:
            places = sorted(unclear)
            cells = ", ".join(sheet.cell(place, column) for place in places[:TOLD])
            more = f" and {len(places) - TOLD} more" if len(places) > TOLD else ""
            fix = "write Total where it is everybody, and repeat the group where the one above goes on"
            where = f"{sheet.title}, cell{'s' * (len(places) > 1)} {cells}{more}"
            gathering.problems.append(Problem(where, f"nothing below {heading}", "a group, or Total", fix))
        left_out |= unclear
    return left_out


def _has_totals(rows: Iterable[Row], group: Mapping[int, Mapping[int, str]]) -> bool:
    """Whether a series has a row without any group in every period for which it has one with a group."""
    with_group, without = set(), set()
    for row in rows:
        (with_group if any(group[row.place].values()) else without).add(row.period)
    return bool(with_group) and with_group <= without


def _alone(
    rows: Iterable[Row], blank: Iterable[Row], column: int, columns: Sequence[int],
    group: Mapping[int, Mapping[int, str]],
) -> set[int]:  # fmt: skip
    """Return the rows with an empty cell beside which no group stands with all else the same."""

    def rest(row: Row) -> tuple[str, ...]:
        return tuple(group[row.place][other] for other in columns if other != column)

    grouped, empty = defaultdict(set), defaultdict(set)
    for row in rows:
        (grouped if group[row.place][column] else empty)[rest(row)].add(row.period)
    return {row.place for row in blank if not empty[rest(row)] <= grouped[rest(row)]}


def _margins(
    rows: Iterable[Row], blank: Iterable[Row], column: int, group: Mapping[int, Mapping[int, str]]
) -> set[int]:  # fmt: skip
    """Return the rows with an empty cell whose other groups never stand together with a group of this column."""
    crossed = {other for row in rows if group[row.place][column]
               for other, text in group[row.place].items() if text and other != column}  # fmt: skip
    return {row.place for row in blank if not crossed & {c for c, text in group[row.place].items() if text}}


def _in_pieces(rows: Iterable[Row], column: int, group: Mapping[int, Mapping[int, str]]) -> bool:
    """Whether a column has two groups or more, and every series that has some stands in one piece."""
    found: set[str] = set()
    with_groups: set[Hashable] = set()
    pieces: dict[Hashable, int] = defaultdict(int)
    before: Hashable = object()
    for row in rows:
        if group[row.place][column]:
            found.add(group[row.place][column])
            with_groups.add(row.series)
        pieces[row.series] += row.series != before
        before = row.series
    return len(found) > 1 and all(pieces[series] == 1 for series in with_groups)
