"""Charts over payment dates: balances stacked, distributions as bars, ratios as lines, one cursor through all."""
