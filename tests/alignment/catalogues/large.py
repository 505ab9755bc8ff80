"""A wholesaler as large as is asked for: made-up brands and products, each in some kinds and sizes."""

from random import Random

from tests.alignment.catalogues.made import Good, Made, Rates, listed, make, shortened

SYLLABLES = listed("ba,dor,fen,gri,hal,jo,kan,lum,mer,nor,pel,qui,ras,sol,tam,ver,wil,zan,bel,cor,dia,fos,gal,mon,ter,vi,lan,dra")
KINDS = listed("Standard,Premium,Compact,Heavy Duty,Eco,Pro,Mini,Classic,Extra,Light")
COLOURS = listed("Black,White,Red,Blue,Green,Grey,Silver,Natural")
SIZES = listed("100ml,250ml,500ml,1l,5l,50g,250g,1kg,5kg,10cm,25cm,1m,4 pack,12 pack")


def _word(random: Random, length: int) -> str:
    return "".join(random.choice(SYLLABLES) for _ in range(length)).capitalize()


def goods(random: Random, count: int) -> list[Good]:
    """Result: so many different things. The more there are, the more brands and products share words, as in a real catalogue."""
    brands = sorted({_word(random, 2) for _ in range(max(20, count // 250))})
    products = sorted({f"{_word(random, 2)} {_word(random, 3)}" for _ in range(max(40, count // 60))})
    found: dict[tuple[object, ...], Good] = {}
    while len(found) < count:
        brand, product, kind = random.choice(brands), random.choice(products), random.choice(KINDS)
        for colour in random.sample(COLOURS, random.randint(1, 3)):
            for size in random.sample(SIZES, random.randint(1, 3)):
                good = Good((brand, product, f"{kind} {colour}"), size, brand, "Goods", round(random.uniform(1, 90), 2))
                found[good.family, size] = good
    return list(found.values())[:count]


def _till_name(good: Good, random: Random) -> str:
    brand, product, kind = good.family
    words = [word if random.random() < 0.7 else shortened(word, random) for word in f"{product} {kind}".split()]
    return " ".join([*([brand] if random.random() < 0.6 else []), *words, good.option]).upper()


def _shop_name(good: Good, random: Random) -> tuple[str, str]:
    brand, product, kind = good.family
    return f"{brand} {product} {kind}", good.option


def large(count: int, seed: int = 51) -> Made:
    return make(
        "large", goods(Random(seed), count), till_name=_till_name, shop_name=_shop_name, seed=seed + 1,
        rates=Rates(only_till=0.04, only_shop=0.04),
    )  # fmt: skip
