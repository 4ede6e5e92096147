"""The program of one payment date: collections, accruals, tests, waterfall, call, roll (spec: engine 4 to 9).

Everything that a date does stands here or in `waterfall.steps`, as formulas over lanes; the lane interpreter runs it.
"""

from engine.liabilities.machine import FLOWS, NEVER, Machine, write

__all__ = ["FLOWS", "NEVER", "Machine", "write"]
