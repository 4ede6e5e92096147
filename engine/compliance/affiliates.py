"""Issuers with different ids that look like one: by their ids and by the words of their names."""

from __future__ import annotations

import difflib
import itertools
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

_GENERIC: Final = frozenset(
    """HOLDINGS HOLDING HOLDCO GROUP INTERNATIONAL INTERMEDIATE HEALTHCARE HEALTH AMERICA AMERICAN AMERICAS SERVICES
    SERVICE COMPANY CORPORATION CORP INCORPORATED LIMITED FINANCE FINANCING CAPITAL PARTNERS ACQUISITION ACQUISITIONS
    MERGER BORROWER BUYER OPERATING OPERATIONS PRODUCTS SYSTEMS SOLUTIONS TECHNOLOGY TECHNOLOGIES GLOBAL WORLDWIDE
    UNITED STATES NATIONAL FIRST GENERAL ENERGY POWER MEDIA COMMUNICATIONS ENTERTAINMENT PHARMACEUTICALS PHARMA
    INDUSTRIES BRANDS RESORTS CASINOS WASTE WATER STORES FOODS MATERIALS MANAGEMENT MARKETING SALES SECURITY UNIVERSAL
    ADVANCED ROYAL PROJECT LUXEMBOURG EUROPE EUROPEAN CANADA NETHERLANDS TRUST HOTEL HOTELS TRANSPORTATION LOGISTICS
    INSURANCE SOFTWARE DATA NETWORK NETWORKS MEDICAL DENTAL CARE EDUCATION LEARNING PACKAGING CHEMICAL CHEMICALS
    BUILDING ENVIRONMENTAL LABORATORIES INFRASTRUCTURE VENTURES INVESTMENT INVESTMENTS""".split()
)
_WORD: Final = re.compile(r"[A-Z0-9&'-]+")
_SHORTEST: Final = 5
"""Letters of a word that may tell a family."""

_LIKENESS: Final = 0.88


def alike(names: Mapping[str, set[str]]) -> Iterator[tuple[str, str, str]]:
    """Pairs of issuer ids that may be one obligor, the shorter id first, and why.

    names  the names under which each issuer id is known
    """
    words = {issuer: set().union(*(_words(name) for name in known)) for issuer, known in names.items()}
    first = {issuer: {w[0] for name in known if (w := _list(name))} for issuer, known in names.items()}
    counts = Counter(word for found in words.values() for word in found)
    whole = {issuer: {" ".join(_list(name)) for name in known} - {""} for issuer, known in names.items()}
    for pair in itertools.combinations(sorted(names), 2):
        low, high = sorted(pair, key=lambda issuer: (len(issuer), issuer))
        why = _why(low, high, words, first, counts, whole)
        if why:
            yield low, high, why


def _list(name: str) -> list[str]:
    return [w for w in _WORD.findall(name.upper()) if w not in _GENERIC and w not in ("INC", "LLC", "LP", "SA", "THE")]


def _words(name: str) -> set[str]:
    return {w for w in _list(name) if len(w) >= _SHORTEST}


def _why(
    low: str,
    high: str,
    words: Mapping[str, set[str]],
    first: Mapping[str, set[str]],
    counts: Counter[str],
    whole: Mapping[str, set[str]],
) -> str:
    plain_low, plain_high = low.upper(), high.upper()
    if len(plain_low) >= 3 and plain_high.startswith(plain_low) and plain_high[len(plain_low) :].isdigit():
        return "the ids differ by a number at the end"
    starts = first[low] | first[high]
    shared = {w for w in words[low] & words[high] if w in starts and counts[w] <= 3}
    if shared:
        return f"both names have {min(shared)}"
    if len(plain_low) >= 3 and plain_high.startswith(plain_low) and first[low] & first[high]:
        return "the ids and the names begin alike"
    for one, other in itertools.product(whole[low], whole[high]):
        if 2 * min(len(one), len(other)) < _LIKENESS * (len(one) + len(other)):
            continue  # of such lengths they cannot be alike; building the matcher is what takes time
        quick = difflib.SequenceMatcher(None, one, other)
        if quick.quick_ratio() >= _LIKENESS and quick.ratio() >= _LIKENESS:
            return "the names are nearly the same"
    return ""
