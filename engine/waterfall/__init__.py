"""Priorities of payments as data: the language and its checks, the register program of a date, its interpreter."""

from engine.waterfall.document import Document, WaterfallError
from engine.waterfall.language import read_document

__all__ = ["Document", "WaterfallError", "read_document"]
