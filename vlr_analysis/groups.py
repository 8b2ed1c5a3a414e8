"""Groups that a source publishes as indicators of their own, brought under the series of their total."""

from __future__ import annotations

import numpy as np
import pandas as pd

from vlr_analysis.observations import KEY

DEFINITION_KEY = ["indicator", "series", "unit"]


def regrouped(table: pd.DataFrame, definitions: pd.DataFrame) -> pd.DataFrame:
    """Bring groups that a source publishes as indicators of their own under the series of the total.

    Parameters
    ----------
    table : DataFrame
        Observations.
    definitions : DataFrame
        `group_of`: indicator code of the total, empty for all other series.

    Returns
    -------
    DataFrame
        The same rows; those with a breakdown whose series belongs to another carry that one's indicator, series and
        unit. Where the table holds no total in the same unit, or has such a group already, they stay as they are.
    """
    if "group_of" not in definitions:
        return table
    there = table.loc[table["breakdown"] == "", DEFINITION_KEY].drop_duplicates()
    totals = definitions[DEFINITION_KEY].merge(there).add_prefix("total_")
    links = definitions[definitions["group_of"] != ""].merge(
        totals, left_on=["group_of", "unit"], right_on=["total_indicator", "total_unit"]
    )
    if not len(links):
        return table
    found = table[DEFINITION_KEY].merge(links.drop_duplicates(DEFINITION_KEY), on=DEFINITION_KEY, how="left")
    moves = found["total_indicator"].notna().to_numpy() & (table["breakdown"] != "").to_numpy()
    out = table.copy()
    for name in ("indicator", "series"):
        out[name] = np.where(moves, found[f"total_{name}"], out[name])
    return table if out.duplicated(list(KEY)).any() else out
