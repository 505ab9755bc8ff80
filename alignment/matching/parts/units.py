"""Units that goods are sold in, as general knowledge: how they are written, and how much of a base unit they are. Pure."""

from collections.abc import Mapping

VOLUME, MASS, LENGTH, POWER, VOLTAGE, PERCENT = "volume", "mass", "length", "power", "voltage", "percent"
COUNT, DIMENSIONS, WEAR, BINDING = "pack", "dimensions", "wear", "binding"
MEMORY, CHARGE, AREA, TIME = "memory", "charge", "area", "time"

# Base units: ml, g, mm, W, V, %, MB, mAh, m², minutes.
_SPELLINGS: tuple[tuple[str, float, str], ...] = (
    (VOLUME, 1, "ml mls milliliter millilitre milliliters millilitres mililitros"),
    (VOLUME, 10, "cl centiliter centilitre"),
    (VOLUME, 100, "dl deciliter"),
    (VOLUME, 1000, "l lt ltr ltrs liter litre liters litres litro litros litri"),
    (VOLUME, 3785.41, "gal gals gallon gallons"),
    (VOLUME, 946.353, "qt qts quart quarts"),
    (VOLUME, 473.176, "pt pint pints"),
    (VOLUME, 29.5735, "floz"),
    (VOLUME, 28316.8, "cuft cf ft3"),
    (VOLUME, 1_000_000, "m3 cbm"),
    (MASS, 0.001, "mg"),
    (MASS, 1, "g gr grs gm gms gram grams gramm gramme grammes gramos grammi"),
    (MASS, 1000, "kg kgs kilo kilos kilogram kilograms"),
    (MASS, 453.592, "lb lbs pound pounds"),
    (MASS, 28.3495, "oz ounce ounces"),
    (LENGTH, 1, "mm millimeter millimetre"),
    (LENGTH, 10, "cm centimeter centimetre"),
    (LENGTH, 1000, "m mtr meter metre meters metres metros"),
    (LENGTH, 25.4, 'in inch inches zoll pulgadas "'),
    (LENGTH, 304.8, "ft foot feet '"),
    (LENGTH, 914.4, "yd yds yard yards"),
    (AREA, 1, "m2 qm sqm"),
    (AREA, 0.092903, "sqft ft2"),
    (POWER, 1, "w watt watts"),
    (POWER, 1000, "kw"),
    (VOLTAGE, 1, "v volt volts"),
    (PERCENT, 1, "%"),
    (MEMORY, 1, "mb"),
    (MEMORY, 1000, "gb"),
    (MEMORY, 1_000_000, "tb"),
    (CHARGE, 1, "mah"),
    (CHARGE, 1000, "ah"),
    (COUNT, 1, "pk pks pkt pck pack packs ct count pc pcs pce piece pieces pièces stk stck stück er tlg teilig pz pezzi uds"),
)  # fmt: skip

UNITS: Mapping[str, tuple[str, float]] = {
    spelling: (dimension, factor) for dimension, factor, spellings in _SPELLINGS for spelling in spellings.split()
}

# Garment and egg sizes, which are letters.
WEAR_SIZES: Mapping[str, str] = {
    **{size: size for size in ("xxs", "xs", "s", "m", "l", "xl", "xxl", "xxxl", "xxxxl")},
    "2xl": "xxl",
    "3xl": "xxxl",
    "4xl": "xxxxl",
}

BINDINGS: Mapping[str, str] = {
    **dict.fromkeys(
        ["paperback", "pb", "pbk", "pbck", "softcover", "softback", "tb", "taschenbuch", "broschiert", "broché", "poche"],
        "paperback",
    ),
    **dict.fromkeys(["hardcover", "hardback", "hc", "hb", "hbk", "hardbound", "gebunden", "relié"], "hardcover"),
    **dict.fromkeys(["ebook", "epub", "kindle"], "ebook"),
    **dict.fromkeys(["audiobook", "hörbuch"], "audiobook"),
}

PLAIN_FACTOR = {VOLUME: "ml", MASS: "g", LENGTH: "mm"}
