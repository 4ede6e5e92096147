"""Priorities of payments as data: schema and checks, compiler to a step table, kernel that runs it."""

from engine.waterfall.compiler import Compiled, compile_waterfall
from engine.waterfall.schema import Document, read_document

__all__ = ["Compiled", "Document", "compile_waterfall", "read_document"]
