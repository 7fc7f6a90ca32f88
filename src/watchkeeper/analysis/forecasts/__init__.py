"""What a series will be: medians with bands, from several forecasters weighted by what they got right on this very
series. One idea a file; `combine.forecast` is what others call."""

from watchkeeper.analysis.forecasts.bounds import Bounds, bounds_of
from watchkeeper.analysis.forecasts.combine import FORECASTERS, LEVELS, Forecast, forecast
from watchkeeper.analysis.forecasts.crossing import Crossing, crossing
from watchkeeper.analysis.forecasts.grid import Grid, regular
from watchkeeper.analysis.forecasts.seasons import seasons

__all__ = [
    "FORECASTERS", "LEVELS", "Bounds", "Crossing", "Forecast", "Grid", "bounds_of", "crossing", "forecast", "regular",
    "seasons",
]  # fmt: skip
