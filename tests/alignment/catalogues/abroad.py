"""Trades that nothing was tuned on: a German clothes shop and an ironmonger. Only for looking, once, at how the matcher does
elsewhere."""

from random import Random

from tests.alignment.catalogues.made import Good, Made, Rates, listed, make, shortened

CLOTHES = {
    "Hosen": listed("Jeans Slim Fit,Chino,Cargohose,Leggings,Stoffhose,Jogginghose"),
    "Oberteile": listed("T-Shirt Rundhals,Poloshirt,Langarmshirt,Bluse,Hemd Button-Down,Kapuzenpullover,Rollkragenpullover"),
    "Jacken": listed("Regenjacke,Daunenjacke,Übergangsjacke,Fleecejacke,Lederjacke"),
    "Unterwäsche": listed("Boxershorts,Socken,Unterhemd,Strumpfhose"),
    "Kleider": listed("Sommerkleid,Strickkleid,Maxikleid,Bleistiftrock"),
}  # fmt: skip
COLOURS = {
    "Schwarz": ("schw.", "SW", "schwarz"), "Weiß": ("weiss", "ws", "weiß"), "Dunkelblau": ("dkl.blau", "dunkelblau", "marine"),
    "Hellblau": ("hellblau", "hbl."), "Rot": ("rot",), "Grau meliert": ("grau mel.", "grau"), "Olivgrün": ("oliv", "olivgrün"),
    "Beige": ("beige", "bge"), "Bordeaux": ("bordeaux", "bord."),
}  # fmt: skip
LABELS = listed("Nordkante,Brunn & Söhne,Hafenliebe,Alma Weber,Kiesel,Zwirn,Fräulein Rosa,Oberland")
SIZES = listed("XS,S,M,L,XL,XXL")
TOOLS: dict[str, tuple[list[str], list[str]]] = {
    "Screws": (listed("Wood Screw Countersunk,Machine Screw Pan Head,Drywall Screw,Decking Screw,Coach Bolt"),
               listed("3x20mm,3.5x30mm,4x40mm,4x50mm,5x60mm,5x80mm,6x100mm")),
    "Electrical": (listed("LED Bulb E27,LED Bulb GU10,Halogen Spot GU10,Extension Lead,Cable Reel"), listed("3W,5W,7W,9W,12W")),
    "Plumbing": (listed("Brass Elbow,Compression Tee,Ball Valve,Pipe Clip"), listed('1/2",3/4",1",15mm,22mm,28mm')),
    "Paint": (listed("Matt Emulsion,Gloss,Satinwood,Masonry Paint,Undercoat"), listed("250ml,750ml,1l,2.5l")),
    "Hand tools": (listed("Claw Hammer,Adjustable Spanner,Cold Chisel,Spirit Level"), listed("150mm,200mm,300mm,600mm")),
}  # fmt: skip
FINISHES = listed("Zinc,Stainless,Brass,Black,White,Chrome")
MAKERS = listed("Hartwell,Ironbridge,Toolmaster,Brightline,FixRight,Colne Valley,Steadfast,Norden")


def clothes(seed: int = 31) -> Made:
    random = Random(seed)
    made = [
        Good((label, kind, colour, model), size, label, category, random.choice([14.95, 19.95, 29.95, 49.95, 79.95]))
        for label in LABELS
        for category, kinds in CLOTHES.items()
        for kind in kinds
        if random.random() < 0.5
        for model in random.sample(listed("Anton,Mia,Basic,Lund,Jule,Fjell,Ella,Piet"), 1 if random.random() < 0.7 else 2)
        for colour in random.sample(list(COLOURS), random.randint(1, 3))
        for size in SIZES
        if random.random() < 0.7
    ]

    def till_name(good: Good, random: Random) -> str:
        label, kind, colour, model = good.family
        words = [word if random.random() < 0.6 else shortened(word, random) for word in kind.split()]
        front = [label] if random.random() < 0.5 else []
        size = random.choice([good.option, f"Gr. {good.option}", f"Gr.{good.option}"])
        name = " ".join([*front, *words, model, random.choice(COLOURS[colour]), size])
        return name.upper().replace("SS", "SS") if random.random() < 0.5 else name.replace("ä", "ae").replace("ü", "ue")

    def shop_name(good: Good, random: Random) -> tuple[str, str]:
        label, kind, colour, model = good.family
        return f"{label} {kind} „{model}“ {colour}", random.choice([good.option, f"Größe {good.option}"])

    rates = Rates(till_barcodes=0.6, shop_barcodes=0.6, same_sku=0.3, variations=0.8)
    return make("clothes", made, till_name=till_name, shop_name=shop_name, seed=seed + 1, rates=rates)


def ironmonger(seed: int = 41) -> Made:
    random = Random(seed)
    made = [
        Good((maker, kind, finish), f"{size}{pack}", maker, category, round(random.uniform(1, 40), 2))
        for maker in MAKERS
        for category, (kinds, sizes) in TOOLS.items()
        for kind in kinds
        if random.random() < 0.6
        for finish in random.sample(FINISHES, random.randint(1, 2))
        for size in sizes
        if random.random() < 0.7
        for pack in (["", " 50pk", " 200pk"] if category == "Screws" else [""])
        if random.random() < 0.8
    ]

    def till_name(good: Good, random: Random) -> str:
        maker, kind, finish = good.family
        words = [word if random.random() < 0.6 else shortened(word, random) for word in kind.split()]
        front = [maker] if random.random() < 0.4 else []
        option = good.option.replace("pk", random.choice(["PK", " PACK", "CT"])).replace("x", random.choice(["x", " x ", "X"]))
        return " ".join([*front, *words, finish if random.random() < 0.7 else shortened(finish, random), option]).upper()

    def shop_name(good: Good, random: Random) -> tuple[str, str]:
        maker, kind, finish = good.family
        size, _, pack = good.option.partition(" ")
        shown = size.replace("x", " x ") + (f" (Pack of {pack[:-2]})" if pack else "")
        return f"{maker} {finish} {kind}" if random.random() < 0.5 else f"{kind} {finish} – {maker}", shown

    rates = Rates(till_barcodes=0.5, shop_barcodes=0.5, same_sku=0.2)
    return make("ironmonger", made, till_name=till_name, shop_name=shop_name, seed=seed + 1, rates=rates)
