"""Log lines to templates: what a message says without the values in it.

`TemplateMiner` learns from lines and gives each a 64-bit template id (pure, no Arrow); `templater.Templater`
shares one miner between the readers of the journal; `model.log_values.parameters` gives a line's values, typed.
"""

from watchkeeper.analysis.templates.miner import TemplateMiner

__all__ = ["TemplateMiner"]
