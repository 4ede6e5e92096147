"""What dated cash flows are worth: notes, equity, and the pool's marks (spec: engine 4.5).

irr          rates at which dated flows are worth nothing
conventions  every figure with its unit and the convention it is counted by; rate conversions
times        years between dates as yields count them
discounting  flows, and a yield, margin or spread, to what they are worth, and back; lanes of scenarios x prices
note         a class's flows after settlement: price from yield, margin or spread, and the risk figures
classes      every class of a projection
calls        to maturity, to each call date, to worst
rate_risk    effective and key-rate durations: the curve is moved and the deal projected anew
marks        net asset value and market value coverage by class
equity       returns of the subordinated notes
whole        all of it in one answer

The projection itself takes its rates of return from here; what needs a projection is imported by its own name
(`engine.valuation.classes`).
"""

from engine.valuation.irr import fill_irr, irr, xirr, xirr_lanes, xnpv

__all__ = ["fill_irr", "irr", "xirr", "xirr_lanes", "xnpv"]
