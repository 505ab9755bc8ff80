"""What the sizes of two things say of each other: a different size means another thing, whatever else agrees. Pure."""

from alignment.matching.parts.things import Cut
from alignment.matching.parts.units import MASS, VOLUME
from alignment.matching.weighing.measures import Agreement, close, fluid

__all__ = ["Agreement", "size_agreement"]


def size_agreement(one: Cut, other: Cut) -> Agreement:
    """Result: how the sizes agree; symmetrical. A pack that only one side mentions is no contradiction, but a doubt."""
    pairs = [(values, other.values[dimension]) for dimension, values in one.values.items() if dimension in other.values]
    ours, theirs = fluid(one.values), fluid(other.values)
    if ours and VOLUME in other.values and MASS not in other.values:
        pairs.append((ours, other.values[VOLUME]))
    if theirs and VOLUME in one.values and MASS not in one.values:
        pairs.append((one.values[VOLUME], theirs))
    same = [any(close(mine, yours) for mine in values for yours in counterparts) for values, counterparts in pairs]
    if not all(same):
        return Agreement.PACK_ONE_SIDED if _same_in_all(one, other) else Agreement.DIFFERS
    pack = _pack_agreement(one, other)
    if pack is not Agreement.NOTHING:
        return pack
    if same or (one.pack and one.pack == other.pack):
        return Agreement.SAME
    if one.measures and other.measures:
        return Agreement.OTHER_KIND
    if one.measures or other.measures or one.pack or other.pack:
        return Agreement.SAME_NUMBER if _number_said(one, other) or _number_said(other, one) else Agreement.ONE_SIDED
    return Agreement.NOTHING


def _same_in_all(one: Cut, other: Cut) -> bool:
    """6 x 330 ml against 1.98 l."""
    if max(one.pack, 1) == max(other.pack, 1):
        return False
    for dimension in (VOLUME, MASS):
        for mine in one.values.get(dimension, ()):
            for yours in other.values.get(dimension, ()):
                if isinstance(mine, float) and isinstance(yours, float):
                    whole, all_of_it = mine * max(one.pack, 1), yours * max(other.pack, 1)
                    if close(whole, all_of_it):
                        return True
    return False


def _pack_agreement(one: Cut, other: Cut) -> Agreement:
    if one.pack == other.pack or max(one.pack, other.pack) <= 1:
        return Agreement.NOTHING
    if one.pack and other.pack:
        return Agreement.PACK_DIFFERS
    said, silent = (one, other) if one.pack else (other, one)
    if str(said.pack) in silent.numbers or any(measure.number == said.pack for measure in silent.measures):
        return Agreement.NOTHING
    return Agreement.PACK_ONE_SIDED


def _number_said(sized_one: Cut, other: Cut) -> bool:
    """The other side says the number, and leaves the unit out; in its name, or at least in its SKU."""
    said = {f"{measure.number:g}" for measure in sized_one.measures if measure.number}
    if sized_one.pack:
        said.add(str(sized_one.pack))
    if said & set(other.numbers):
        return True
    if other.sku_measures:
        return any(close(mine.value, yours.value) for mine in sized_one.measures for yours in other.sku_measures
                   if mine.dimension == yours.dimension)  # fmt: skip
    return bool(said & other.sku_numbers) and not other.measures
