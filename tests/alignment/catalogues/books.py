"""A bookshop: ISBNs, subtitles, authors either way round, editions, bindings, volumes of a series."""

from random import Random

from tests.alignment.catalogues.made import Good, Made, Rates, ean, listed, make

FIRST = listed(
    "Anna,Marcus,Elena,Thomas,Ruth,Samuel,Clara,Henri,Ingrid,Paolo,Nadia,Oliver,Mary,José,Yuki,David,Ursula,Peter,Amélie,George,"
    "Laila,Victor,Hannah,Igor,Sofia"
)
LAST = listed(
    "Hollander,Whitfield,Marchetti,O'Connor,Lindqvist,Baptiste,Novák,Fairweather,Müller,Tanaka,Okafor,Delacroix,Ravenscroft,Silva,"
    "Brennan,Castellan,Drummond,Eriksen,Haddad,Ibarra,Kowalska,Langley,Moreau,Petrov,Quigley,Rosen,Sato,Thackeray,Underhill,Vance"
)
ADJECTIVES = listed(
    "Silent,Broken,Golden,Last,Hidden,Burning,Distant,Forgotten,Crimson,Paper,Hollow,Endless,Wild,Secret,Frozen,Quiet,Shattered,"
    "Midnight,Glass,Iron,Velvet,Salt,Winter,Summer,Second,Northern"
)
NOUNS = listed(
    "River,Garden,Kingdom,Letter,House,Mountain,Daughter,Harbour,Crown,Orchard,Shadow,Lighthouse,Promise,Mirror,Forest,Sea,Song,"
    "City,Library,Road,Stars,Island,Winter,Clockmaker,Thief,Orphan,Summer,Empire,Bridge,Map"
)
SUBJECTS = listed(
    "Bread Baking,Python Programming,Garden Design,Watercolour Painting,Roman History,Statistics,Organic Chemistry,Jazz Piano,"
    "Modern Architecture,Bird Watching,Machine Learning,Italian Cooking,Beekeeping,Typography,Astronomy,Project Management"
)
STYLES = listed(
    "Introduction to {},{} for Beginners,The Complete {} Handbook,Mastering {},Essentials of {},{}: A Practical Guide"
)
SUBTITLES = listed(
    "A Novel,A Memoir,Stories,An Untold History,Theory and Practice,A Visual Guide,The True Story,With 50 Recipes,"
    "A Life in Letters"
)
PUBLISHERS = listed("Harrow & Finch,Northlight Press,Meridian,Blackbird Books,Osprey House,Lantern,Quarto Lane,Saltmarsh")
BINDINGS = {"Paperback": ("PB", "PBK", "Paperback", "P/B", ""), "Hardcover": ("HC", "HB", "Hardback", "Hardcover")}


def goods(random: Random, titles: int = 1150) -> list[Good]:
    """Result: editions of made-up titles, some of them series."""
    made: list[Good] = []
    seen: set[str] = set()
    while len(seen) < titles:
        author = f"{random.choice(FIRST)} {random.choice(LAST)}"
        publisher = random.choice(PUBLISHERS)
        if random.random() < 0.35:
            title, category, subtitle = random.choice(STYLES).format(random.choice(SUBJECTS)), "Non-fiction", ""
        else:
            title, category = f"The {random.choice(ADJECTIVES)} {random.choice(NOUNS)}", "Fiction"
            subtitle = random.choice(SUBTITLES) if random.random() < 0.5 else ""
            if random.random() < 0.3:
                title = f"{random.choice(NOUNS)} of the {title[4:]}"
        key = f"{title}/{author}"
        if key in seen:
            continue
        seen.add(key)
        volumes = range(1, random.choice([3, 4, 6]) + 1) if category == "Fiction" and random.random() < 0.12 else [0]
        editions = [1, 2, 3][: random.choice([1, 2, 2, 3])] if category == "Non-fiction" and random.random() < 0.4 else [0]
        for volume in volumes:
            for edition in editions:
                bindings = random.choice([["Paperback"], ["Paperback"], ["Hardcover"], ["Paperback", "Hardcover"]])
                for binding in bindings:
                    price = round(random.uniform(6, 30)) - 0.01 + (8 if binding == "Hardcover" else 0)
                    facts = {"title": title, "subtitle": subtitle, "author": author, "volume": volume, "edition": edition}
                    family = (publisher, title, author, str(volume), str(edition))
                    made.append(Good(family, binding, publisher, category, price, facts))
    return made


def isbn(random: Random) -> str:
    return ean(random, "978")


def isbn10(code: str) -> str:
    body = code[3:12]
    check = -sum(weight * int(char) for weight, char in zip(range(10, 1, -1), body, strict=True)) % 11
    return body + ("X" if check == 10 else str(check))


def _numbers(good: Good, random: Random, *, short: bool) -> str:
    volume, edition = good.facts["volume"], good.facts["edition"]
    said = []
    if volume:
        roman = ("", "I", "II", "III", "IV", "V", "VI")[volume]
        said.append(
            random.choice([f"Vol. {volume}", f"Book {volume}", f"#{volume}", f"Volume {roman}" if volume > 1 else "Vol 1"])
        )
    if edition:
        ordinal = {1: "1st", 2: "2nd", 3: "3rd"}[edition]
        said.append(f"{ordinal} ed" if short else random.choice([f"{ordinal} Edition", f"Edition {edition}", f"{ordinal} ed."]))
    return " ".join(said)


def _till_name(good: Good, random: Random) -> str:
    facts = good.facts
    first, last = facts["author"].split(" ", 1)
    title = facts["title"]
    if title.startswith("The ") and random.random() < 0.3:
        title = f"{title[4:]}, The"
    author = random.choice([f"{last}, {first}", f"{last} {first[0]}", f"{last}, {first[0]}.", facts["author"]])
    if random.random() < 0.12:
        author = ""
    binding = random.choice(BINDINGS[good.option])
    subtitle = facts["subtitle"] if random.random() < 0.3 else ""
    name = " ".join(filter(None, [title, subtitle, _numbers(good, random, short=True), author, binding]))
    return name.upper() if random.random() < 0.6 else name


def _shop_name(good: Good, random: Random) -> tuple[str, str]:
    facts = good.facts
    title = facts["title"] + (f": {facts['subtitle']}" if facts["subtitle"] else "")
    numbers = _numbers(good, random, short=False)
    whole = f"{title} ({numbers})" if numbers and random.random() < 0.5 else " ".join(filter(None, [title, numbers]))
    return random.choice([f"{whole} by {facts['author']}", f"{whole} – {facts['author']}", whole if random.random() < 0.4 else
                          f"{facts['author']}: {whole}"]), good.option  # fmt: skip


def _codes(good: Good, code: str, random: Random) -> tuple[str, str]:
    till = code if random.random() < 0.35 else str(random.randint(100_000, 999_999))
    return (
        till,
        f"BK-{random.randint(10_000, 99_999)}"
        if random.random() < 0.6
        else f"{good.facts['author'].split()[-1][:5].upper()}-{code[9:12]}",
    )


def books(seed: int = 21, rates: Rates | None = None, titles: int = 1150) -> Made:
    """Result: about 2,000 editions on either side. Some of the till's barcodes are ten-digit ISBNs."""
    made = make(
        "books", goods(Random(seed), titles), till_name=_till_name, shop_name=_shop_name, seed=seed + 1,
        rates=rates or Rates(till_barcodes=0.7, shop_barcodes=0.6), barcode=isbn, codes=_codes,
    )  # fmt: skip
    random = Random(seed + 2)
    for row in made.pos:
        if len(row["UPC"]) == 13 and row["UPC"].isdigit() and random.random() < 0.15:
            row["UPC"] = isbn10(row["UPC"])
    return made
