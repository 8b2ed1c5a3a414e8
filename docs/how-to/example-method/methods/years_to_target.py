"""years_to_target: how long the way to a target takes at the pace of the latest years."""

import numpy as np
import pandas as pd

from vlr_analysis import trends

LEAST = 5
COLUMNS = ["indicator", "series", "unit", "result", "low", "high", "verdict", "reason", "first", "last", "target",
           "last_value", "pace"]  # fmt: skip


def years_to_target(observations, settings):
    """How many years the rest of the way to a target takes at the pace of the latest yearly values.

    The pace is the Theil-Sen slope of the last `values` yearly values; the years are what is left from the latest
    value to the target, divided by it. The 95 % interval is that of the slope (Sen), turned into years. No years are
    told where it reaches zero: then the target may never be met. A series that moves away with its whole interval is
    *moving away*; one that arrives by the year of the target (without one: the horizon) is *on track*, a later one
    makes *some progress*.

    Parameters
    ----------
    observations : DataFrame, one row a value, sorted by series and time
        Yearly values of totals; series without a target or a direction are passed over.
    settings : dict
        `values`: how many of the latest values make the pace, 5 at least; `horizon`.

    Returns
    -------
    DataFrame, one row a series with a target
        `result` (years from the latest value; 0 where the target is met), `low`, `high`, `verdict`, `reason`, `first`,
        `last` (periods used), `target` and `last_value` (unit of the series), `pace` (unit a year).
    """
    known = observations[observations["target"].notna() & (observations["direction"] != "")]
    rows = [
        (*key, *_told(one.tail(max(settings["values"], LEAST)), settings["horizon"]))
        for key, one in known.groupby(["indicator", "series", "unit"], sort=False)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _told(one, horizon):
    """Return the cells of one series behind its key."""
    value, last = one["value"].to_numpy(), one.iloc[-1]
    target, period = last["target"], (one["period"].iloc[0], last["period"])
    sign = 1 if last["direction"] == "increase" else -1
    nothing = (np.nan, np.nan, np.nan)
    if sign * (last["value"] - target) >= 0:
        return (0.0, np.nan, np.nan, "target met", "", *period, target, last["value"], np.nan)
    if len(one) < LEAST:
        reason = f"{len(one)} yearly values; {LEAST} are needed"
        return (*nothing, "cannot tell", reason, *period, target, last["value"], np.nan)
    pace = trends.trend_statistics(one["year"].to_numpy()[None, :], value[None, :])
    slope, *ends = (float(number[0]) for number in (pace.slope, pace.low, pace.high))
    slow, fast = sorted(sign * end for end in ends)
    if fast < 0:
        return (*nothing, "moving away", "", *period, target, last["value"], slope)
    if slow <= 0:
        return (*nothing, "cannot tell", "the pace may be zero", *period, target, last["value"], slope)
    left = abs(target - last["value"])
    years, soonest, latest = left / (sign * slope), left / fast, left / slow
    due = last["target_year"] if last["target_year"] == last["target_year"] else horizon
    verdict = "on track" if np.floor(last["year"]) + years <= due else "some progress"
    return (years, soonest, latest, verdict, "", *period, target, last["value"], slope)
