"""Measure the error rates of every default on simulated series whose truth is known. Run by `make calibration`.

Writes docs/methods/calibration.csv, the charts beside it and the tables of docs/methods/calibration.md. Every
cell of the study has a seed of its own, so that any of them can be repeated alone and in any order.
"""

from __future__ import annotations

import io
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import rc_context
from rich.progress import Progress, TimeElapsedColumn
from scipy import stats

from vlr_analysis import counterfactual, inequality, links, pooling, regression, trends
from vlr_analysis.counterfactual import POINTS_A_YEAR
from vlr_analysis.drawing import DASHES, GROUPS, STYLE, grid
from vlr_analysis.drawing import SHOCK as SHOCK_GREY
from vlr_analysis.shock_groups import Dates, Group, phases
from vlr_analysis.shock_readings import level_reading, path_reading

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "methods"
SEED = 2030
ANNUAL, MONTHLY = (5, 8, 10, 15, 25), (60, 96, 168)
PHIS = (0.0, 0.3, 0.6, 0.8)
WALK = "random walk"
IDENTITY = ("identity", float("nan"), float("nan"))
SHOCK, DATES = 2020.0, Dates.of("2020-01", "2022-01")
MARK = "<!-- tables: made by make calibration -->"
FALSE_POSITIVES = ("Kendall alone, false positives", "both tests, false positives", "robust trend, false positives")
SHOCK_YEARLY = ("clear shock, false positives", "clear shock, power at 2 SD", "clear shock, power at 3 SD")
SHOCK_MONTHLY = ("clear shock, false positives", "clear shock, power at 1 SD", "clear shock, power at 2 SD")
TREND_TOLD = {
    "Kendall alone, false positives": "Kendall alone", "both tests, false positives": "both tests",
    "robust trend, false positives": "robust trend", "Hamed-Rao, false positives": "Hamed-Rao",
    "Sen's interval, coverage": "Sen's interval", "robust trend, power at 0.3 SD a year": "power, 0.3 SD a year",
}  # fmt: skip
LINE_TOLD = {f"line, coverage {k} ahead": f"line, {k} ahead" for k in (1, 2, 3, 8)} | {
    "random walk interval, coverage": "random walk with drift", "loss, coverage": "loss after 3 SD",
}  # fmt: skip
SHOCK_TOLD = {
    "clear shock, false positives": "clear shock, none planted",
    "level, told a fall where there was none": "level told, none planted",
    "path, told a fall where there was none": "path told, none planted",
} | {f"clear shock, power at {k} SD": f"power, {k} SD" for k in (1, 2, 3)}
RECOVERY_TOLD = {
    f"{reading}, {quantity}": f"{reading}: {words}"
    for reading in ("level", "path")
    for quantity, words in (
        ("verdicts that are right", "right"),
        ("told where recovered was planted", "told of recoveries"),
        ("told where not yet was planted", "told of lasting falls"),
    )
}
COVERAGE = ("line, coverage", "random walk interval, coverage")
RIGHT = ("level, verdicts that are right", "path, verdicts that are right")
HEADINGS = {
    "trend": "Trends", "counterfactual": "Coverage of the counterfactual", "shock": "Shocks", "recovery": "Recovery",
    "links": "Links", "inequality": "Inequality", "pooled": "Pooling over cities",
}  # fmt: skip
COLUMNS = ["study", "freq", "n", "process", "quantity", "rate", "draws", "at_least", "at_most"]


def noise(rng: np.random.Generator, m: int, n: int, process: float | str) -> np.ndarray:
    """M series of n points with variance one: AR(1) with the phi given, or a random walk of unit steps."""
    steps = rng.standard_normal((m, n))
    if process == WALK:
        return steps.cumsum(axis=1)
    scale = np.sqrt(1 - process**2)
    for i in range(1, n):
        steps[:, i] = process * steps[:, i - 1] + scale * steps[:, i]
    return steps


def generator(*cell: object) -> np.random.Generator:
    """Return the generator of one cell of the study."""
    return np.random.default_rng([SEED, zlib.crc32(repr(cell).encode())])


def row(study, freq, n, process, quantity, rate, draws, at_least=np.nan, at_most=np.nan) -> dict:
    """One measured rate, and the bar it has to keep (NaN: none)."""
    told = process if isinstance(process, str) else f"phi {process:g}"
    return dict(zip(COLUMNS, (study, freq, n, told, quantity, float(rate), draws, at_least, at_most), strict=True))


# --- trends ----------------------------------------------------------------------------------------


def trend_cell(n: int, process: float | str, draws: int) -> Iterator[dict]:
    """False positives of the tests on series without a trend, and coverage of Sen's interval with one."""
    rng = generator("trend", n, process)
    y = noise(rng, draws, n, process)
    t = np.broadcast_to(np.arange(float(n)), y.shape)
    found = trends.trend_statistics(t, y)
    robust = (found.p <= 0.05) & (found.p_ar1 <= 0.05)
    bar = 0.07 if process in (0.0, 0.3, 0.5) else np.nan
    yield row("trend", "A", n, process, "Kendall alone, false positives", (found.p <= 0.05).mean(), draws)
    yield row("trend", "A", n, process, "both tests, false positives", robust.mean(), draws, at_most=bar)
    graded = robust & _holds(t, y)
    yield row("trend", "A", n, process, "robust trend, false positives", graded.mean(), draws, at_most=bar)
    p = trends.hamed_rao_p(t, y)
    yield row("trend", "A", n, process, "Hamed-Rao, false positives", (p <= 0.05).mean(), draws)
    covered = ((found.low <= 0) & (found.high >= 0)).mean()
    yield row("trend", "A", n, process, "Sen's interval, coverage", covered, draws)
    for slope in (0.1, 0.3, 0.5):
        found = trends.trend_statistics(t, y + slope * t)
        robust = (found.p <= 0.05) & (found.p_ar1 <= 0.05) & _holds(t, y + slope * t)
        yield row("trend", "A", n, process, f"robust trend, power at {slope} SD a year", robust.mean(), draws)


def _holds(t: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Whether Kendall's test also rejects without the first, the last or the third last year, and Hamed-Rao's does."""
    n = y.shape[1]
    held = ~(trends.hamed_rao_p(t, y) > 0.05)
    for place in (0, n - 1, n - 3):
        kept = np.arange(n) != place
        if kept.sum() >= trends.LEAST:
            held &= trends.trend_statistics(t[:, kept], y[:, kept]).p <= 0.05
    return held


# --- shocks ----------------------------------------------------------------------------------------


def group_of(y: np.ndarray, before: int, freq: str, sign: float = 1.0) -> Group:
    """Return series whose first `before` points lie before 2020, as one group."""
    m, n = y.shape
    year = POINTS_A_YEAR[freq]
    edges = SHOCK + (np.arange(n + 1) - before) / year
    t = np.broadcast_to((edges[:-1] + edges[1:]) / 2, y.shape)
    kind = "annual" if freq == "A" else "seasonal"
    phase = phases(edges[:-1], edges[1:], SHOCK)
    return Group(
        np.arange(m), kind, freq, IDENTITY, np.full(m, sign), t, y, edges[:-1], phase, np.zeros(m, bool), False
    )


def read(y: np.ndarray, before: int, freq: str) -> dict[str, np.ndarray]:
    """Both readings of series in which more is better."""
    group = group_of(y, before, freq)
    labels = np.broadcast_to(np.array([f"{v:.3f}" for v in group.t[0]], dtype=object), y.shape)
    return level_reading(group, DATES, labels) | path_reading(group, DATES, labels, SEED)


def annual_cell(n: int, process: float | str, draws: int) -> Iterator[dict]:
    """Coverage of the counterfactual and its loss, claims where nothing was planted, and power."""
    y = noise(generator("annual", n, process), draws, n + 8, process)
    t = np.broadcast_to(np.arange(n + 8) + 0.5, y.shape)
    low, high = {0.0: (0.93, 0.97), 0.6: (0.88, np.nan)}.get(process, (np.nan, np.nan))
    window = slice(max(0, n - 10), n)
    for name, (_, lower, upper, *_) in {
        "line": regression.line_interval(t[:, window], y[:, window], t[:, n:]),
        "random walk interval": regression.random_walk_interval(t[:, window], y[:, window], t[:, n:]),
    }.items():
        covered = (y[:, n:] >= lower) & (y[:, n:] <= upper)
        bars = (low, high) if name == "line" and n >= counterfactual.INTERVAL_LEAST else (np.nan, np.nan)
        yield row("counterfactual", "A", n, process, f"{name}, coverage", covered[:, :3].mean(), draws, *bars)
        for ahead in (1, 2, 3, 8):
            told = f"{name}, coverage {ahead} ahead"
            yield row("counterfactual", "A", n, process, told, covered[:, ahead - 1].mean(), draws)
    y = y[:, : n + 3]
    long = n >= counterfactual.INTERVAL_LEAST
    for size in (0, 1, 2, 3) if long else (0,):
        struck = y - size * (np.arange(n + 3) >= n)
        got = read(struck, n, "A")
        if size == 0:
            yield from _false_claims("A", n, process, got, draws)
        if long:
            quantity = "clear shock, false positives" if size == 0 else f"clear shock, power at {size} SD"
            most = 0.05 if size == 0 else np.nan
            yield row("shock", "A", n, process, quantity, got["shock_clear"].mean(), draws, at_most=most)
        if size == 3 and process != WALK:
            truth = np.minimum(struck[:, n:], 0).sum(axis=1)
            inside = ((got["loss_low"] <= truth) & (truth <= got["loss_high"])).mean()
            yield row("counterfactual", "A", n, process, "loss, coverage", inside, draws)


def _false_claims(freq: str, n: int, process: float | str, got: dict[str, np.ndarray], draws: int) -> Iterator[dict]:
    """Share of series without any shock that are told as recovered or not yet, by each reading."""
    for reading in ("level", "path"):
        told = np.isin(got[f"{reading}_verdict"], ["recovered", "not yet"]).mean()
        yield row("shock", freq, n, process, f"{reading}, told a fall where there was none", told, draws)


def monthly_cell(n: int, process: float | str, draws: int) -> Iterator[dict]:
    """False positives and power of a step in months, two years of them after the shock."""
    y = noise(generator("monthly", n, process), draws, n, process)
    y += np.cos(2 * np.pi * (np.arange(n) + 0.5) / 12)
    before, year = n - 24, 12
    bar = 0.08 if process != WALK else np.nan
    for size in (0, 1, 2, 3):
        got = read(y - size * (np.arange(n) >= before), before, "M")
        ends = "false positives" if size == 0 else f"power at {size} SD"
        most = bar if size == 0 else np.nan
        yield row("shock", "M", n, process, f"step test, {ends}", (got["step_p"] < 0.05).mean(), draws, at_most=most)
        yield row("shock", "M", n, process, f"clear shock, {ends}", got["shock_clear"].mean(), draws, at_most=most)
        if size == 0:
            yield from _false_claims("M", n, process, got, draws)
            inside = ((got["gap_path_low"] <= 0) & (got["gap_path_high"] >= 0)).mean()
            yield row("counterfactual", "M", n, process, f"line, coverage {24 // year} ahead", inside, draws)


def recovery_cell(freq: str, n: int, process: float | str, draws: int) -> Iterator[dict]:
    """Recovery verdicts of planted shocks of three standard deviations, gone after two years or still there."""
    year, after = POINTS_A_YEAR[freq], 3 * POINTS_A_YEAR[freq]
    rng = generator("recovery", freq, n, process)
    right, wrong, total = {}, {}, 0
    for truth, back in (("recovered", (1.0, 0.4, 0.0)), ("not yet", (1.0, 1.0, 1.0))):
        y = noise(rng, draws, n + after, process)
        y[:, n:] -= 3 * np.repeat(back, year)
        got = read(y, n, freq)
        total += draws
        for reading in ("level", "path"):
            verdict = got[f"{reading}_verdict"]
            back_again = np.isin(verdict, ["recovered", "ahead"])
            behind = verdict == "not yet"
            hit, miss = (back_again, behind) if truth == "recovered" else (behind, back_again)
            told = f"{reading}, told where {truth} was planted"
            yield row("recovery", freq, n, process, told, (hit | miss).mean(), draws)
            right[reading] = right.get(reading, 0) + hit.sum()
            wrong[reading] = wrong.get(reading, 0) + miss.sum()
    for reading in ("level", "path"):
        told = right[reading] + wrong[reading]
        rate = right[reading] / told if told else np.nan
        yield row("recovery", freq, n, process, f"{reading}, verdicts that are right", rate, total, at_least=0.95)


# --- links -----------------------------------------------------------------------------------------


def links_cell(places: int, measures: int, families: int) -> Iterator[dict]:
    """Families of unrelated measures in which any link is told."""
    rng = generator("links", places, measures)
    any_link, pairs = 0, []
    for _ in range(families):
        wide = pd.DataFrame(rng.standard_normal((places, measures))).rename_axis("unit_id").reset_index()
        table = links.link_table(wide.melt("unit_id", var_name="measure"))
        any_link += (table["verdict"] != links.NO_LINK).any()
        pairs.append((table["p"] <= 0.05).mean())
    study = ("links", "", places, f"{measures} measures")
    yield row(*study, "families with a false link", any_link / families, families, at_most=0.07)
    yield row(*study, "pairs with p <= 0.05", np.mean(pairs), families)


# --- inequality and pooling ------------------------------------------------------------------------


def inequality_cell(groups: int, spread: float, draws: int) -> Iterator[dict]:
    """Coverage of the bootstrap intervals where groups differ by a multiple of their standard errors."""
    rng = generator("inequality", groups, spread)
    people, se = rng.uniform(1, 10, groups), rng.uniform(1, 3, groups)
    truth = 60 + 2 * spread * stats.norm.ppf((np.arange(groups) + 0.5) / groups)

    def measure(values: np.ndarray) -> dict[str, np.ndarray]:
        return inequality.all_measures(values, people, inequality.weighted_mean(values, people), 1)

    true = {name: float(value[0]) for name, value in measure(truth[None]).items()}
    covered = dict.fromkeys((name for name, value in true.items() if np.isfinite(value)), 0)
    for draw in range(draws):
        found = inequality.bootstrap_interval(truth + se * rng.standard_normal(groups), se, measure, seed=draw)
        for name in covered:
            covered[name] += found[name][0] - 1e-9 <= true[name] <= found[name][1] + 1e-9
    told = f"spread of {spread:g} standard errors"
    for name, count in covered.items():
        yield row("inequality", "", groups, told, f"{name}, coverage", count / draws, draws, at_least=0.90)


def pooled_cell(cities: int, tau: float, draws: int) -> Iterator[dict]:
    """Coverage of the pooled mean over few cities whose standard errors differ."""
    rng, covered = generator("pooled", cities, tau), 0
    for _ in range(draws):
        se = rng.uniform(0.2, 0.8, cities)
        found = pooling.pooled(1 + tau * rng.standard_normal(cities) + se * rng.standard_normal(cities), se)
        covered += found.low <= 1 <= found.high
    told = f"spread {tau:g} between cities"
    yield row("pooled", "", cities, told, "interval of the mean, coverage", covered / draws, draws, at_least=0.92)


# --- the whole study -------------------------------------------------------------------------------


def cells(scale: float = 1.0) -> dict[str, list[Callable[[], Iterator[dict]]]]:
    """Return every cell of the study by part; `scale` multiplies the number of simulated series."""
    many, some, few = (max(40, int(count * scale)) for count in (20_000, 1_500, 1_000))
    processes = (*PHIS, WALK)
    long = [n for n in ANNUAL if n >= counterfactual.INTERVAL_LEAST]
    return {
        "trend": [partial(trend_cell, n, p, many) for n in ANNUAL for p in (0.0, 0.3, 0.5, 0.6, 0.8, WALK)],
        "counterfactual": [partial(annual_cell, n, p, many) for n in ANNUAL for p in processes]
        + [partial(monthly_cell, n, p, some) for n in MONTHLY for p in processes],
        "recovery": [partial(recovery_cell, "A", n, p, many // 2) for n in long for p in PHIS]
        + [partial(recovery_cell, "M", n, p, some) for n in MONTHLY for p in PHIS],
        "links": [partial(links_cell, places, 6, few) for places in (6, 7, 10, 18)],
        "inequality": [partial(inequality_cell, k, s, few // 2) for k in (2, 5, 12, 25) for s in (0.0, 0.5, 1.0, 3.0)],
        "pooled": [partial(pooled_cell, cities, tau, few) for cities in (3, 5, 13) for tau in (0.0, 0.3, 1.0)],
    }


def study(parts: Sequence[str], scale: float = 1.0, report: Callable[[int, int], None] = lambda done, of: None):
    """Run the cells of some parts and return one row a rate, with its `part`."""
    todo, rows = [(part, cell) for part, found in cells(scale).items() if part in parts for cell in found], []
    for place, (part, cell) in enumerate(todo):
        rows += [{"part": part} | one for one in cell()]
        report(place + 1, len(todo))
    return pd.DataFrame(rows, columns=["part", *COLUMNS])


def misses(table: pd.DataFrame, tolerance: float = 0.0) -> pd.DataFrame:
    """Return the rates that miss their bar, by more than `tolerance` standard errors of the simulation."""
    slack = tolerance * np.sqrt(table["rate"] * (1 - table["rate"]) / table["draws"])
    low, high = table["rate"] + slack < table["at_least"], table["rate"] - slack > table["at_most"]
    return table[low | high]


# --- what is written -------------------------------------------------------------------------------


def markdown(table: pd.DataFrame) -> str:
    """Return the study as one table a subject, rates to three decimals; those that miss their bar are marked."""
    parts = []
    for study_name, heading in HEADINGS.items():
        part = table[table["study"] == study_name]
        missed = set(misses(part).index)
        cells = part.assign(
            told=[f"**{rate:.3f}**" if i in missed else f"{rate:.3f}" for i, rate in part["rate"].items()]
        )
        for freq, rows in cells.groupby("freq", sort=False):
            wide = rows.pivot_table(
                index=["n", "process"], columns="quantity", values="told", aggfunc="first", sort=False
            )
            lines = ["| n | series | " + " | ".join(wide.columns) + " |", "|---|---|" + "---|" * len(wide.columns)]
            lines += [
                f"| {n} | {process} | " + " | ".join(values.fillna("")) + " |"
                for (n, process), values in wide.iterrows()
            ]
            named = {"A": ", yearly", "M": ", monthly"}.get(freq, "")
            parts.append(f"### {heading}{named}\n\n" + "\n".join(lines) + "\n")
    return "\n".join(parts)


def appendix(text: str, table: pd.DataFrame, speed: pd.DataFrame) -> str:
    """Return the methods page with the figures between its marks taken from the study and the benchmark."""
    told = {
        "trend_table": _summary(table, "trend", "A", ("phi 0", "phi 0.3", "phi 0.5", "phi 0.8", WALK), TREND_TOLD),
        "line_table": _summary(table, "counterfactual", "A", ("phi 0", "phi 0.6", WALK), LINE_TOLD),
        "shock_table": _summary(table, "shock", "A", ("phi 0", "phi 0.6", WALK), SHOCK_TOLD)
        + _summary(table, "shock", "M", ("phi 0", "phi 0.6", "phi 0.8", WALK), SHOCK_TOLD),
        "recovery_table": _summary(table, "recovery", "A", ("phi 0", "phi 0.6"), RECOVERY_TOLD)
        + _summary(table, "recovery", "M", ("phi 0", "phi 0.8"), RECOVERY_TOLD),
        "links_rate": _range(table, "links", "families with a false link"),
        "inequality_rate": _range(table, "inequality"),
        "pooled_rate": _range(table, "pooled"),
        "bench_rate": "; ".join(
            f"{one.what} of {one.series:,} series {one.value:.0f} times faster than one series at a time"
            for one in speed[speed["quantity"] == "times faster than a loop"].itertuples()
        ),
    }
    for name, content in told.items():
        head, tail = text.split(f"<!-- {name} -->")
        text = f"{head}<!-- {name} -->{content}<!-- end -->{tail.split('<!-- end -->', 1)[1]}"
    return text


def _range(table: pd.DataFrame, study_name: str, quantity: str | None = None) -> str:
    rows = table[(table["study"] == study_name) & ((table["quantity"] == quantity) | (quantity is None))]
    return f"{rows['rate'].min():.2f} to {rows['rate'].max():.2f}"


def _summary(table: pd.DataFrame, study_name: str, freq: str, processes: tuple, quantities: dict[str, str]) -> str:
    rows = table[(table["study"] == study_name) & (table["freq"] == freq) & table["process"].isin(processes)]
    wide = rows.pivot_table(index=["n", "process"], columns="quantity", values="rate", sort=False)
    wide = wide[list(quantities)].dropna(how="all")
    unit = "years" if freq == "A" else "months"
    lines = [f"| {unit} | errors | " + " | ".join(quantities.values()) + " |", "|---|---|" + "---|" * len(quantities)]
    for (n, process), cell in wide.iterrows():
        told = ("not told" if np.isnan(rate) else f"{rate:.3f}".lstrip("0") for rate in cell)
        lines.append(f"| {n} | {process} | {' | '.join(told)} |")
    return "\n\n" + "\n".join(lines) + "\n\n"


def charts(table: pd.DataFrame) -> dict[str, bytes]:
    """Return the charts of the study as SVG, by file name."""
    found = {}
    drawings = {
        "trend-false-positives": ("trend", "A", FALSE_POSITIVES, "false positives where 5 % is promised"),
        "line-coverage": (
            "counterfactual",
            "A",
            ("line, coverage", "random walk interval, coverage"),
            "coverage of 95 %",
        ),
        "shock-yearly": ("shock", "A", SHOCK_YEARLY, "share called a clear shock"),
        "shock-monthly": ("shock", "M", SHOCK_MONTHLY, "share called a clear shock"),
        "recovery-right": ("recovery", "A", RIGHT, "verdicts that are right, of those told"),
    }
    with rc_context(STYLE):
        for name, (study_name, freq, quantities, label) in drawings.items():
            part = table[(table["study"] == study_name) & (table["freq"] == freq)]
            figure, panels = grid(len(quantities), columns=len(quantities), height=3.0)
            for axes, quantity in zip(panels, quantities, strict=True):
                rows = part[part["quantity"] == quantity]
                for place, (process, line) in enumerate(rows.groupby("process", sort=False)):
                    axes.plot(line["n"], line["rate"], color=GROUPS[place], linestyle=DASHES[place], marker="o",
                              markersize=3, label=process)  # fmt: skip
                for bar in pd.concat([rows["at_least"], rows["at_most"]]).dropna().unique():
                    axes.axhline(bar, color=SHOCK_GREY, linewidth=0.9, linestyle=":")
                axes.set_title(quantity, fontsize=8.5)
                axes.set_xlabel("years" if freq == "A" else "months")
                axes.set_xticks(sorted(rows["n"].unique()))
                axes.set_ylim(0 if rows["rate"].min() < 0.7 else 0.7, max(0.1, 1.05 * rows["rate"].max()))
            panels[0].set_ylabel(label)
            figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=6, fontsize=8)
            buffer = io.BytesIO()
            figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
            found[f"{name}.svg"] = buffer.getvalue()
    return found


def main(parts: Sequence[str]) -> int:
    """Run the study or parts of it, write it, and say which rates miss their bar; 1 if any does.

    A part that is not run again keeps its rates: every cell has a seed of its own.
    """
    unknown = set(parts) - set(cells())
    if unknown:
        sys.stderr.write(f"no part {', '.join(sorted(unknown))}; parts are {', '.join(cells())}\n")
        return 2
    parts = parts or list(cells())
    with Progress(*Progress.get_default_columns(), TimeElapsedColumn()) as progress:
        task = progress.add_task("calibration", total=None)
        table = study(parts, report=lambda done, of: progress.update(task, completed=done, total=of))
    table["rate"] = table["rate"].round(4)
    FOLDER.mkdir(exist_ok=True)
    if set(parts) != set(cells()):
        kept = committed()
        table = pd.concat([kept[~kept["part"].isin(parts)], table])
    order = {part: place for place, part in enumerate(cells())}
    table = table.sort_values("part", key=lambda part: part.map(order), kind="stable").reset_index(drop=True)
    table.to_csv(FOLDER / "calibration.csv", index=False, float_format="%.6g", lineterminator="\n")
    table = committed()
    for name, content in charts(table).items():
        (FOLDER / name).write_bytes(content)
    write_pages()
    sys.stdout.write(misses(table).to_string() + "\n")
    return int(len(misses(table)) > 0)


def write_pages() -> None:
    """Bring the figures of both methods pages up to date with the committed study and benchmark."""
    methods, page = FOLDER / "README.md", FOLDER / "calibration.md"
    told = appendix(methods.read_text(encoding="utf-8"), committed(), pd.read_csv(FOLDER / "benchmark.csv"))
    methods.write_text(told, encoding="utf-8", newline="\n")
    text = page.read_text(encoding="utf-8").split(MARK)[0]
    page.write_text(text + MARK + "\n\n" + markdown(committed()), encoding="utf-8", newline="\n")


def committed() -> pd.DataFrame:
    """Return the committed study."""
    path = FOLDER / "calibration.csv"
    return pd.read_csv(path, keep_default_na=False, na_values={"at_least": "", "at_most": "", "rate": ""})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
