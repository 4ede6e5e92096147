"""Ratings: scales and factors, what agencies' ratings imply for one another, and recovery rates, each with its path."""

from engine.ratings.scales import (
    MOODYS,
    MOODYS_RANK,
    NOT_RATED,
    RATING_FACTOR,
    SP,
    SP_RANK,
    UNKNOWN_FACTOR,
    as_moodys,
    as_sp,
    is_caa,
    notched,
    parse_moodys,
    parse_sp,
    rank,
    rating_factor,
)

__all__ = [
    "MOODYS",
    "MOODYS_RANK",
    "NOT_RATED",
    "RATING_FACTOR",
    "SP",
    "SP_RANK",
    "UNKNOWN_FACTOR",
    "as_moodys",
    "as_sp",
    "is_caa",
    "notched",
    "parse_moodys",
    "parse_sp",
    "rank",
    "rating_factor",
]
