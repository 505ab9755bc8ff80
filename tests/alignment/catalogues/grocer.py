"""A grocer: brands, flavours, weights, multipacks; a till that shouts and shortens, a shop that writes it out."""

from random import Random

from tests.alignment.catalogues.made import Good, Made, Rates, listed, make, shortened

# category: product, flavours, sizes
SHELF: dict[str, list[tuple[str, str, str]]] = {
    "Biscuits": [
        ("Digestives", "Original,Milk Chocolate,Dark Chocolate,Caramel", "250g,300g,400g"),
        ("Shortbread Fingers", "All Butter,Stem Ginger,Chocolate Chip", "150g,200g"),
        ("Oat Cookies", "Raisin,Honey,Dark Chocolate,Cranberry", "180g,300g"),
        ("Cream Wafers", "Vanilla,Hazelnut,Lemon,Chocolate", "75g,175g"),
        ("Rich Tea", "Original,Finger", "200g,300g"),
    ],
    "Drinks": [
        ("Cola", "Original,Zero Sugar,Cherry,Vanilla", "330ml,500ml,1.5l,6x330ml,12x330ml"),
        ("Sparkling Water", "Plain,Lemon,Lime & Mint", "500ml,1l,6x1l"),
        ("Orange Juice", "Smooth,With Bits,Not From Concentrate", "250ml,1l,4x250ml"),
        ("Ginger Beer", "Fiery,Light", "330ml,750ml,4x330ml"),
        ("Iced Tea", "Peach,Lemon,Green Tea & Mint", "330ml,1l"),
        ("Energy Drink", "Original,Sugar Free,Tropical,Watermelon", "250ml,500ml,4x250ml"),
    ],
    "Crisps": [
        ("Crisps", "Ready Salted,Salt & Vinegar,Cheese & Onion,Smoky Bacon,Prawn Cocktail", "25g,150g,6x25g"),
        ("Tortilla Chips", "Lightly Salted,Chilli Heatwave,Cool Original", "180g,450g"),
        ("Popcorn", "Sweet,Salted,Sweet & Salty,Toffee", "80g,120g"),
        ("Rice Cakes", "Plain,Sea Salt,Caramel", "100g,130g"),
    ],
    "Pantry": [
        ("Basmati Rice", "White,Brown,Easy Cook", "500g,1kg,5kg"),
        ("Spaghetti", "Durum Wheat,Wholewheat,Gluten Free", "500g,1kg"),
        ("Penne", "Durum Wheat,Wholewheat,Gluten Free", "500g,1kg"),
        ("Chopped Tomatoes", "Plain,With Basil,With Garlic", "400g,4x400g"),
        ("Baked Beans", "Original,Reduced Sugar,With Sausages", "200g,415g,4x415g"),
        ("Olive Oil", "Extra Virgin,Mild & Light,Organic", "250ml,500ml,1l"),
        ("Tuna Chunks", "In Brine,In Sunflower Oil,In Spring Water", "145g,4x145g"),
        ("Peanut Butter", "Smooth,Crunchy,Organic Smooth", "280g,340g,1kg"),
        ("Strawberry Jam", "Original,Reduced Sugar,Extra Fruit", "340g,454g"),
        ("Porridge Oats", "Rolled,Jumbo,Golden Syrup,Apple & Blueberry", "500g,1kg,10x36g"),
        ("Tomato Ketchup", "Original,50% Less Sugar,Hot Chilli", "342g,460g,700g"),
        ("Mayonnaise", "Real,Light,Garlic,Vegan", "270g,400g,600g"),
    ],
    "Household": [
        ("Washing Up Liquid", "Original,Lemon,Aloe Vera,Apple", "433ml,780ml"),
        ("Laundry Capsules", "Bio,Non Bio,Colour", "18 pack,38 pack"),
        ("Toilet Tissue", "White,Quilted,Recycled", "4 pack,9 pack,16 pack"),
        ("Kitchen Roll", "White,Extra Large", "2 pack,4 pack"),
        ("Bin Liners", "Tie Handle,Drawstring", "20 pack,40 pack"),
        ("Multi Surface Spray", "Lemon,Ocean,Fragrance Free", "500ml,750ml"),
    ],
    "Tea and Coffee": [
        ("English Breakfast Tea", "Loose Leaf,Bags,Decaf Bags", "80g,125g,250g"),
        ("Green Tea", "Pure,Lemon,Jasmine,Mint", "20 pack,40 pack,80 pack"),
        ("Ground Coffee", "House Blend,Colombian,Italian Roast,Decaf", "227g,454g,1kg"),
        ("Instant Coffee", "Gold,Rich,Decaf,Original", "95g,100g,200g"),
        ("Coffee Capsules", "Lungo,Ristretto,Espresso,Decaf", "10 pack,30 pack"),
    ],
    "Dairy": [
        ("Greek Yogurt", "Natural,Honey,Strawberry,0% Fat", "170g,500g,1kg,4x100g"),
        ("Mature Cheddar", "White,Coloured,Lighter", "200g,350g,400g"),
        ("Oat Drink", "Barista,Original,Unsweetened,Chocolate", "250ml,1l,6x1l"),
        ("Butter", "Salted,Unsalted,Spreadable", "250g,500g"),
    ],
}  # fmt: skip
BRANDS = listed(
    "Hartley Mills,Golden Acre,McAllister's,Tesbury,Nature's Larder,Oakfield,Pip & Stone,Bellini,Casa Verde,Sunnybrook,Kingsway,"
    "Marlowe & Sons,Alpenhof,Crofters,Blue Harbour,Dove Hill,Everyday Value,Fjord,Little Orchard,Zest"
)


def goods(random: Random, share: float = 0.42) -> list[Good]:
    """Result: what is on the shelf: each brand makes some products, in some flavours and sizes."""
    made = []
    for brand in BRANDS:
        for category, products in SHELF.items():
            for product, flavours, sizes in products:
                if random.random() > share:
                    continue
                kinds = [(flavour, size) for flavour in flavours.split(",") for size in sizes.split(",")]
                for flavour, size in kinds:
                    price = round(random.uniform(0.6, 12), 1) - 0.01
                    if random.random() < 0.62:
                        made.append(Good((brand, product, flavour), size, brand, category, price))
    return made


def _till_size(size: str, random: Random) -> str:
    if size.endswith(" pack"):
        count = size.split()[0]
        return random.choice([f"{count}PK", f"{count} PACK", f"X{count}", f"{count}S", f"{count}CT"])
    pack, _, one = size.rpartition("x")
    number, unit = "".join(char for char in one if char in "0123456789."), one.lstrip("0123456789.")
    shown = random.choice([f"{number}{unit}", f"{number} {unit}", f"{number}{ {'g': 'gr', 'l': 'ltr'}.get(unit, unit) }"])
    if unit == "ml" and float(number) >= 250 and random.random() < 0.15:
        shown = f"{float(number) / 1000:g}l"
    if unit == "kg" and random.random() < 0.2:
        shown = f"{float(number) * 1000:g}g"
    if not pack:
        return shown.upper()
    return random.choice([f"{pack}x{shown}", f"{shown} x{pack}", f"{shown} {pack}pk", f"{pack} x {shown}"]).upper()


def _till_name(good: Good, random: Random) -> str:
    brand, product, flavour = good.family
    brand_words = brand.replace("&", "").replace("'", "").split()
    words = [word if random.random() < 0.55 else shortened(word, random) for word in (*product.split(), *flavour.split())]
    words = [word for word in words if word not in ("&", "With", "In")]
    plain = ("Original", "Plain")
    if flavour in plain and random.random() < 0.5:
        words = words[: -len(flavour.split())]
    how = random.random()
    if how < 0.5:
        words = [*brand_words, *words]
    elif how < 0.7:
        words = [shortened(brand_words[0], random), *words]
    name = " ".join(words)
    return f"{name} {_till_size(good.option, random)}".upper()


def _shop_name(good: Good, random: Random) -> tuple[str, str]:
    brand, product, flavour = good.family
    pack, _, one = good.option.rpartition("x")
    size = random.choice([f"{pack} x {one}", f"{one} (Pack of {pack})", f"{pack}x{one}"]) if pack else good.option
    if random.random() < 0.3:
        size = size.replace("ml", " ml").replace("kg", " kg").replace("1l", "1 litre")
    order = random.random()
    if order < 0.7:
        return f"{brand} {product} {flavour}", size
    return (f"{brand} {flavour} {product}", size) if order < 0.9 else (f"{product} – {flavour} by {brand}", size)


def grocer(seed: int = 11, rates: Rates | None = None, share: float = 0.42) -> Made:
    """Result: about 3,000 things on either side."""
    return make(
        "grocer", goods(Random(seed), share), till_name=_till_name, shop_name=_shop_name, seed=seed + 1, rates=rates or Rates()
    )
