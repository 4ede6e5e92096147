"""Invented borrowers: coined roots that mean nothing, a word of the trade, a legal form of the country."""

from __future__ import annotations

from typing import Final

from resources.demo.draw import Draw

# The first three letters of each start, and of each end, occur once: tickers made of them are unique.
STARTS: Final = (
    "Abren Adlo Alme Arvo Aske Balvo Bene Bolra Brusko Cavri Cervo Clavi Corve Crelo Dalmo Delme Dovra Drelo Dulmi "
    "Eblo Eldri Emvo Eskri Evlo Fabro Felme Fiske Forlo Fravo Galdo Gemri Glavo Gorvi Grelo Hadro Helvo Hixo Horlo "
    "Hulvi Ibro Ildo Isvo Jarlo Jexo Jolvi Kabro Kelvo Kirlo Kolvi Krado Kulme Labri Lexo Lirvo Lodro Lurvi Madro "
    "Melvo Misko Mordo Mulvi Nadro Nelvo Nilo Norlo Nuvri Obro Oldri Omvo Orlo Ovri Padro Pelvo Pilmo Polvri Prado "
    "Quadro Quelvo Radro Relmo Risko Rolvo Rudri Sadro Selmo Sisko Solvo Stelmo Sudri Tadro Telmo Tirvo Tolvo Trelmo "
    "Tudri Ubro Uldri Umvo Vadro Velmo Visko Volro Vudri Wadro Welmo Wirvo Wolvo Xadro Xelvo Yadro Yelmo Yorlo Zadro "
    "Zelmo Zirvo Zolvo"
).split()
ENDS: Final = (
    "dane lith mark pell quist rand spire thon vane wick gard bryn cast fane holm lune nell rick tane zell"
).split()

_TRADES: Final[dict[str, tuple[str, ...]]] = {
    "Aerospace & Defense": ("Aerostructures", "Flight Systems", "Defense Components"),
    "Automotive": ("Auto Parts", "Driveline", "Collision Centers"),
    "Banking, Finance, Insurance & Real Estate": (
        "Insurance Brokers",
        "Advisory Group",
        "Payments",
        "Property Services",
    ),
    "Beverage, Food & Tobacco": ("Foods", "Bakeries", "Beverage Group"),
    "Capital Equipment": ("Machinery", "Flow Control", "Power Tools", "Industrial Pumps"),
    "Chemicals, Plastics & Rubber": ("Chemicals", "Coatings", "Polymers"),
    "Construction & Building": ("Building Products", "Roofing", "Contractors", "Windows"),
    "Consumer goods: Durable": ("Home Goods", "Sporting Goods", "Furniture"),
    "Consumer goods: Non-durable": ("Apparel", "Personal Care", "Footwear"),
    "Containers, Packaging & Glass": ("Packaging", "Containers", "Closures"),
    "Energy: Electricity": ("Power Generation", "Renewables"),
    "Energy: Oil & Gas": ("Midstream", "Pipelines", "Well Services"),
    "Environmental Industries": ("Waste Services", "Recycling", "Environmental"),
    "Forest Products & Paper": ("Paper", "Timber Products"),
    "Healthcare & Pharmaceuticals": ("Health", "Dental Partners", "Laboratories", "Medical Devices", "Pharma Services"),
    "High Tech Industries": ("Software", "Data Systems", "Cyber Security", "Cloud Services", "Electronics"),
    "Hotel, Gaming & Leisure": ("Resorts", "Gaming", "Fitness", "Leisure Parks"),
    "Media: Advertising, Printing & Publishing": ("Outdoor Media", "Publishing"),
    "Media: Broadcasting & Subscription": ("Broadcasting", "Cable", "Radio"),
    "Media: Diversified & Production": ("Studios", "Live Events"),
    "Metals & Mining": ("Metals", "Aggregates"),
    "Retail": ("Stores", "Pet Retail", "Grocers"),
    "Services: Business": ("Staffing", "Facility Services", "Security Services", "Consulting", "Inspection"),
    "Services: Consumer": ("Education", "Home Services", "Child Care"),
    "Telecommunications": ("Fiber", "Towers", "Wireless", "Networks"),
    "Transportation: Cargo": ("Logistics", "Freight", "Trucking"),
    "Transportation: Consumer": ("Air Charter", "Coach Lines", "Car Rental"),
    "Utilities: Electric": ("Electric", "Grid Services"),
    "Utilities: Oil & Gas": ("Gas Distribution", "Propane"),
    "Wholesale": ("Supply", "Distribution", "Electrical Wholesale"),
}

INDUSTRIES: Final[tuple[tuple[str, float, tuple[tuple[str, float], ...]], ...]] = (
    ("Aerospace & Defense", 3.0, (("Aerospace & Defense", 1),)),
    ("Automotive", 3.2, (("Auto Components", 1),)),
    (
        "Banking, Finance, Insurance & Real Estate",
        8.5,
        (
            ("Insurance", 4),
            ("Diversified Financial Services", 2),
            ("Capital Markets", 3),
            ("Real Estate Management & Development", 1),
        ),
    ),
    ("Beverage, Food & Tobacco", 3.0, (("Food Products", 3), ("Beverages", 1))),
    ("Capital Equipment", 4.6, (("Machinery", 3), ("Electrical Equipment", 1))),
    ("Chemicals, Plastics & Rubber", 3.8, (("Chemicals", 1),)),
    ("Construction & Building", 4.4, (("Building Products", 2), ("Construction & Engineering", 1))),
    ("Consumer goods: Durable", 2.2, (("Household Durables", 2), ("Leisure Products", 1))),
    ("Consumer goods: Non-durable", 1.6, (("Textiles, Apparel & Luxury Goods", 1), ("Personal Products", 1))),
    ("Containers, Packaging & Glass", 2.6, (("Containers & Packaging", 1),)),
    ("Energy: Electricity", 1.2, (("Independent Power & Renewable Electricity Producers", 1),)),
    ("Energy: Oil & Gas", 1.8, (("Oil, Gas & Consumable Fuels", 2), ("Energy Equipment & Services", 1))),
    ("Environmental Industries", 1.6, (("Commercial Services & Supplies", 1),)),
    ("Forest Products & Paper", 0.8, (("Paper & Forest Products", 1),)),
    (
        "Healthcare & Pharmaceuticals",
        11.0,
        (
            ("Health Care Providers & Services", 5),
            ("Health Care Equipment & Supplies", 2),
            ("Pharmaceuticals", 2),
            ("Health Care Technology", 2),
            ("Life Sciences Tools & Services", 1),
        ),
    ),
    (
        "High Tech Industries",
        12.0,
        (("Software", 9), ("IT Services", 2), ("Electronic Equipment, Instruments & Components", 1)),
    ),
    ("Hotel, Gaming & Leisure", 5.4, (("Hotels, Restaurants & Leisure", 1),)),
    ("Media: Advertising, Printing & Publishing", 1.4, (("Media", 1),)),
    ("Media: Broadcasting & Subscription", 2.6, (("Media", 1),)),
    ("Media: Diversified & Production", 1.4, (("Entertainment", 1),)),
    ("Metals & Mining", 1.2, (("Metals & Mining", 1),)),
    ("Retail", 3.4, (("Specialty Retail", 3), ("Food & Staples Retailing", 1))),
    (
        "Services: Business",
        10.4,
        (("Commercial Services & Supplies", 4), ("Professional Services", 4), ("IT Services", 2)),
    ),
    ("Services: Consumer", 3.2, (("Diversified Consumer Services", 1),)),
    (
        "Telecommunications",
        3.8,
        (("Diversified Telecommunication Services", 3), ("Wireless Telecommunication Services", 1)),
    ),
    ("Transportation: Cargo", 1.8, (("Air Freight & Logistics", 1), ("Road & Rail", 1))),
    ("Transportation: Consumer", 1.6, (("Airlines", 1), ("Road & Rail", 1))),
    ("Utilities: Electric", 1.6, (("Electric Utilities", 1),)),
    ("Utilities: Oil & Gas", 0.8, (("Gas Utilities", 1),)),
    ("Wholesale", 2.0, (("Trading Companies & Distributors", 2), ("Distributors", 1))),
)
"""Moody's industry, its weight in obligors, and S&P's industries for it with their weights."""

_FORMS: Final[dict[str, tuple[str, ...]]] = {
    "USA": ("Holdings LLC", "Inc.", "Intermediate LLC", "Acquisition Corp.", "Parent LLC", "Midco LP", "Borrower LLC"),
    "Canada": ("ULC", "Canada Corp."),
    "United Kingdom": ("Bidco Limited", "Holdings Limited"),
    "Luxembourg": ("S.a r.l.", "Finance S.A."),
    "Netherlands": ("B.V.",),
    "Cayman Islands": ("Cayman Ltd.",),
    "Germany": ("GmbH",),
    "France": ("SAS",),
    "Ireland": ("DAC",),
}


def roots(draw: Draw, count: int) -> list[tuple[str, str]]:
    """`count` coined names with their tickers, e.g. ("Abrendane", "ABRDAN"); no two alike."""
    ends = draw.shuffled(ENDS)
    made: list[tuple[str, str]] = []
    for turn in range(1 + count // len(STARTS)):
        for place, start in enumerate(draw.shuffled(STARTS)):
            end = ends[(place + 7 * turn + STARTS.index(start)) % len(ends)]
            ticker = (start[:3] + end[:3]).upper()
            if all(ticker != other for _, other in made):
                made.append((start + end, ticker))
    return made[:count]


def company(draw: Draw, root: str, industry: str, country: str) -> str:
    """The borrower's full name."""
    trade = draw.pick([(word, 1.0) for word in _TRADES[industry]])
    form = draw.pick([(word, 1.0) for word in _FORMS[country]])
    return f"{root} {trade} {form}"
