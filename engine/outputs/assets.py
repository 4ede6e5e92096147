"""Tables of single assets: their cash flows in a scenario, and their spreads over the curve (spec: engine 2.10, 10)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.assumptions import Assumptions
from engine.loans import columns as col
from engine.model import Model
from engine.outputs.table import Field, Table, Unit, balance, days, field, money, settled
from engine.valuation.marks import price_buckets


def asset_table(model: Model, assumptions: Assumptions, asset_id: str | None = None) -> Table:
    """Cash flows of the deal's assets, or of one, by payment date. Ratings are those of today.

    Raises ValueError for an asset that the deal does not hold.
    """
    flows, assets = model.asset_flows(assumptions), model.pool.assets
    deal = model.book.deal.name
    title = f"Cash flows of the assets of {deal}"
    if asset_id is not None:
        place = next((i for i, asset in enumerate(assets) if asset.asset_id == asset_id), None)
        if place is None:
            raise ValueError(f"{deal} holds no asset {asset_id!r}; check its id in the list of holdings.")
        flows = flows.of(place)
        title = f"Cash flows of {asset_id}, {assets[place].issue_name or assets[place].issuer_name or 'no name'}"

    def of_asset(name: str) -> list[Any]:
        values = [getattr(asset, name) for asset in assets]
        return [values[i] for i in flows.loan.tolist()]

    accrues = flows.end > flows.begin
    f = flows.flows
    columns = (
        field("Asset", Unit.TEXT, of_asset("asset_id")),
        _serials("Payment date", flows.payment),
        field("Moody's rating", Unit.TEXT, of_asset("moodys_rating")),
        field("S&P rating", Unit.TEXT, of_asset("sp_issuer_rating")),
        _serials("Accrual begin", flows.begin, accrues),
        _serials("Accrual end", flows.end, accrues),
        field("Coupon", Unit.RATE, np.where(accrues, flows.coupon, np.nan)),
        balance("Opening balance", settled(flows.opening)),
        money("Defaulted", f[:, col.DEFAULTED]),
        money("Value of defaulted", f[:, col.CLAIM]),
        money("Interest", f[:, col.INTEREST]),
        money("Capitalised interest", f[:, col.CAPITALISED]),
        money("Scheduled principal", f[:, col.SCHEDULED]),
        money("Unscheduled principal", f[:, col.UNSCHEDULED]),
        money("Drawn", f[:, col.DRAWN]),
        money("Sold", f[:, col.SOLD]),
        money("Sale proceeds", f[:, col.PROCEEDS]),
        money("Recoveries", f[:, col.RECOVERIES]),
        money("Total cash", flows.total),
        money("Net loss", f[:, col.LOSS]),
        balance("Closing balance", settled(flows.closing)),
        balance("Default balance", settled(flows.default_balance)),
        balance("Value of default balance", settled(flows.default_value)),
    )
    name = "assets" if asset_id is None else f"asset-{asset_id}"
    return Table(name, "Collat CF-Assets", title, model.book.deal.currency, columns)


def spread_table(model: Model) -> Table:
    """Z-spreads and yields (quarterly) of the assets that are not in default and have a price (spec 2.10)."""
    pool, spreads = model.pool, model.z_spreads()
    prices = pool.numbers("market_value")
    chosen = np.flatnonzero(~pool.flags("defaulted") & (prices > 0.0))
    assets = [pool.assets[i] for i in chosen.tolist()]
    columns = (
        field("Asset", Unit.TEXT, [a.asset_id for a in assets]),
        field("Z-spread", Unit.RATE, spreads[chosen]),
        field("Yield", Unit.RATE, model.z_spreads(over_nothing=True)[chosen]),
        field("Issue", Unit.TEXT, [a.issue_name for a in assets]),
        field("Price", Unit.PRICE, prices[chosen]),
        balance("Market value", prices[chosen] / 100.0 * pool.par[chosen]),
        field("Spread", Unit.RATE, pool.numbers("coupon_spread")[chosen]),
        field("Floor", Unit.RATE, pool.numbers("index_floor")[chosen]),
        days("Maturity", [a.maturity for a in assets]),
        field("Moody's rating", Unit.TEXT, [a.moodys_rating for a in assets]),
        field("Credit opinion", Unit.TEXT, [a.credit_opinion for a in assets]),
        balance("Par", pool.par[chosen]),
    )
    title = f"Spreads of the assets of {model.book.deal.name} over the curve, as of {model.structure.analysis}"
    return Table("spreads", "Collat CF-Spreads", title, model.book.deal.currency, columns)


def bucket_table(model: Model) -> Table:
    """Market value and discount to par by price of the assets."""
    found = price_buckets(model)
    columns = (
        field("Price", Unit.TEXT, [b.name for b in found]),
        field("Assets", Unit.COUNT, [b.assets for b in found], adds=True),
        money("Par", [b.par for b in found]),
        field("Share of par", Unit.SHARE, [b.share for b in found], adds=True),
        money("Market value", [b.market_value for b in found]),
        money("Discount to par", [b.discount for b in found]),
        field("Average price", Unit.PRICE, [b.average_price for b in found]),
        field("Average spread", Unit.RATE, [b.average_spread for b in found]),
    )
    title = f"Market value of the assets of {model.book.deal.name} by price, prices of the asset master"
    return Table("prices", "Collat CF-Prices", title, model.book.deal.currency, columns)


def _serials(name: str, serials: NDArray[np.int64], known: NDArray[np.bool_] | None = None) -> Field:
    made = np.array(serials, dtype="datetime64[D]")
    if known is not None:
        made = np.where(known, made, np.datetime64("NaT", "D"))
    return field(name, Unit.DATE, made)
