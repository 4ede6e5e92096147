"""The runners, by subject. Importing the package registers them."""

from engine.validation.kinds import calendars, deals, liabilities, loans, notes, rates, waterfalls

__all__ = ["calendars", "deals", "liabilities", "loans", "notes", "rates", "waterfalls"]
