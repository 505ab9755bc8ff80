"""From the shelf to what a shop shows, in steps that add up to it (ledger.md §2, §5, §6)."""

from decimal import Decimal

from sync.core.standing import Counting, Position, Verdict, judge
from sync.core.targets import listing_target, owed, units_of
from sync.core.why.facts import Moment, Shelf, ShopFacts, Try
from sync.core.why.steps import ZERO, Bridge, Cut, Link, Run, Standing, Step, Tone, amount, listed, moment_said
from sync.core.why.till import trouble_of, until_sync

UNCOUNTED = {
    Counting.PARENT: (
        "the shop counts this variation with its parent product",
        "Let the variation manage its own stock in the shop.",
    ),
    Counting.NOT: ("the shop doesn't count this product", "Tick “Manage stock” on it in the shop, or reject the alignment."),
    Counting.GONE: ("the product is no longer in the shop", "Restore it there, or reject the alignment."),
}


def target_of(facts: ShopFacts) -> Decimal | None:
    """Result: what the listing should show, in what it counts; None where no place that supplies its shop counts the item."""
    counted = _counted(facts)
    if not counted:
        return None
    return listing_target(available=[one.on_hand - one.reserved for one in counted], buffer=facts.buffer, per=facts.per)


def _counted(facts: ShopFacts) -> list[Shelf]:
    return [shelf for shelf in facts.shelves if shelf.supplies and shelf.is_counted]


def shop_bridge(facts: ShopFacts, when: Moment) -> Bridge:
    """Result: how the shop's number follows from the shelf, and how it stands. The steps end with what it shows wherever that
    is known, whatever is between."""
    target = target_of(facts)
    run = Run(sum((shelf.on_hand for shelf in facts.shelves), ZERO))
    run.total("On hand")
    if target is None:
        for shelf in facts.shelves:
            run.add(_not_for(shelf, facts), -shelf.on_hand, Tone.HELD)
    else:
        _to_target(run, facts, target)
    _to_shown(run, facts, target, when)
    standing, why_not, next_step, links = _standing(facts, target, when)
    return Bridge(run.steps, standing, _sentence(facts, target, run.steps, when), why_not, next_step, links)


def _not_for(shelf: Shelf, facts: ShopFacts) -> str:
    if not shelf.supplies:
        return f"At {shelf.place}, which doesn't supply {facts.store}"
    return f"At {shelf.place}, where the till doesn't count it"


def _to_target(run: Run, facts: ShopFacts, target: Decimal) -> None:
    counted = _counted(facts)
    for shelf in facts.shelves:
        if shelf not in counted:
            run.add(_not_for(shelf, facts), -shelf.on_hand, Tone.HELD)
    run.add("Reserved for orders", -sum((shelf.reserved for shelf in counted), ZERO), Tone.HELD)
    run.add("Kept back as a buffer", -facts.buffer, Tone.HELD)
    rest = units_of(target, facts.per) - run.left
    if rest > 0:
        run.add("Less than nothing is shown as none", rest, Tone.HELD, cut=Cut.BELOW_NONE)
    else:
        what = f"Too few for another pack of {facts.per}" if facts.per > 1 else "Parts of a unit aren't sold online"
        run.add(what, rest, Tone.HELD, cut=Cut.PART)
    run.total(f"Should show in {facts.store}", note=_packs(target, facts))


def _packs(number: Decimal, facts: ShopFacts) -> str:
    return f"{amount(number)} × pack of {facts.per}" if facts.per > 1 else ""


def _to_shown(run: Run, facts: ShopFacts, target: Decimal | None, when: Moment) -> None:
    """What lies between the number it should show and the one it shows: told and not answered, not told yet, odd, and older."""
    shows = facts.shows
    if shows is None or facts.counting != Counting.OWN:
        return
    end = units_of(shows, facts.per)
    if target is None or facts.baseline is None:
        run.add("Not compared yet", end - run.left, Tone.HELD)
    else:
        gap = owed(target=target, baseline=facts.baseline)
        flying = _in_flight(facts)
        write = [Link("write", facts.write.key, "the write")] if facts.write else []
        run.add(f"Sent to {facts.store}, not answered yet", -units_of(flying, facts.per), Tone.HELD, links=write)
        run.add(f"Not told to {facts.store} yet", -units_of(gap - flying, facts.per), Tone.HELD)
        odd = facts.suspect or ZERO
        conflict = [facts.conflict] if facts.conflict else []
        run.add("Changed in the shop; nothing explains it", units_of(odd, facts.per), Tone.ODD, links=conflict)
        if _is_left(facts):
            run.add("Left as it is by a person", units_of(facts.left or ZERO, facts.per), Tone.ODD, links=conflict)
        run.add(_since(facts), end - run.left, Tone.HELD)
    since = ", with the orders since" if facts.has_news else ""
    read = f"read {moment_said(facts.read_at, when.zone, when.now)}{since}" if facts.read_at else "never read whole"
    run.total(f"{facts.store} shows", at=facts.read_at, note=" · ".join(filter(None, [_packs(shows, facts), read])))


def _is_left(facts: ShopFacts) -> bool:
    """Does the shop show just what a person has left beside what it should? Then it is no drift."""
    if facts.left is None or facts.shows is None or facts.baseline is None or facts.suspect:
        return False
    return facts.shows - facts.baseline == facts.left


def _since(facts: ShopFacts) -> str:
    if facts.put_off:
        return f"In a number that can't be used yet: {facts.put_off.why}"
    return "Orders that changed since it was read" if facts.has_news else "Changed since it was read"


def _in_flight(facts: ShopFacts) -> Decimal:
    return facts.write.delta if facts.write and facts.write.state == Try.UNANSWERED else ZERO


def _sentence(facts: ShopFacts, target: Decimal | None, steps: list[Step], when: Moment) -> str:
    """Result: the number and why, in one sentence."""
    if facts.counting != Counting.OWN:
        return f"Nobody knows what {facts.store} has of it: {UNCOUNTED[facts.counting][0]}."
    if facts.shows is None:
        why = "it has not been read yet" if facts.baseline is None else "orders changed while it was off"
        return f"What {facts.store} shows is unknown: {why}."
    if target is None:
        return f"{facts.store} shows {_number(facts.shows, facts)}; what it should show is unknown, since no place that supplies it counts the item."  # noqa: E501 - one sentence
    because = _because(facts, steps)
    at = f" {moment_said(facts.read_at, when.zone, when.now)}" if facts.read_at else ""
    if facts.shows == target:
        return f"{facts.store} shows {_number(facts.shows, facts)} because {because}."
    believed = facts.baseline == target and not facts.suspect and not facts.put_off
    if believed and _is_left(facts):
        beside = amount(facts.left, signed=True)
        return f"{facts.store} shows {_number(facts.shows, facts)}: {amount(target)} because {because}, and {beside} that a person has left."  # noqa: E501 - words
    if believed:
        return f"{facts.store} should show {_number(target, facts)} by now because {because}. It showed {amount(facts.shows)} when it was read{at}."  # noqa: E501 - two sentences
    return f"{facts.store} shows {_number(facts.shows, facts)} and should show {amount(target)}, because {because}."


def _number(number: Decimal, facts: ShopFacts) -> str:
    if facts.per == 1:
        return amount(number)
    return f"{amount(number)} {'pack' if number == 1 else 'packs'} of {facts.per}"


def _because(facts: ShopFacts, steps: list[Step]) -> str:
    counted = _counted(facts)
    lying = sum((shelf.on_hand for shelf in counted), ZERO)
    where = f"at {listed([shelf.place for shelf in counted])}" if len(facts.shelves) > 1 else "on the shelf"
    parts = [f"{amount(lying)} {'lies' if lying == 1 else 'lie'} {where}"]
    if reserved := sum((shelf.reserved for shelf in counted), ZERO):
        parts.append(f"{amount(reserved)} {'is' if reserved == 1 else 'are'} reserved")
    if facts.buffer:
        parts.append(f"{amount(facts.buffer)} {'is' if facts.buffer == 1 else 'are'} kept back as a buffer")
    if any(step.cut == Cut.BELOW_NONE for step in steps):
        parts.append("a shop never shows less than none")
    for step in steps:
        if step.change is not None and step.cut == Cut.PART:
            few = amount(-step.change)
            parts.append(f"{few} are too few for another pack" if facts.per > 1 else f"{few} is no whole unit")
    return listed(parts)


def _position(facts: ShopFacts, target: Decimal | None) -> Position:
    """Whether what it is owed has failed is left to `trouble_of`, which says why."""
    return Position(
        counting=facts.counting,
        target=target,
        baseline=facts.baseline,
        shows=facts.shows,
        suspect=facts.suspect,
        difference=facts.difference,
        left=facts.left,
        is_unread=bool(facts.unread),
        item_is_missing=facts.item_is_missing,
        item_is_uncounted=facts.item_is_uncounted,
        is_unanswered=facts.write is not None and facts.write.state == Try.UNANSWERED,
    )


def _standing(facts: ShopFacts, target: Decimal | None, when: Moment) -> tuple[Standing, str, str, list[Link]]:
    """Result: how it stands, why it is not in step, what happens next, and where that is decided."""
    gap = ZERO if target is None or facts.baseline is None else owed(target=target, baseline=facts.baseline)
    match judge(_position(facts, target)):
        case Verdict.GONE | Verdict.WITH_PARENT | Verdict.NOT_COUNTED:
            why, next_step = UNCOUNTED[facts.counting]
            return Standing.PERSON, f"It is told nothing, since {why}.", next_step, []
        case Verdict.UNREAD:
            why = f"It is told nothing, since what the shop says of it can't be read. {facts.unread}"
            return Standing.PERSON, why, "Correct it in the shop and save it there.", []
        case Verdict.ITEM_MISSING:
            return Standing.PERSON, "The till's export leaves this item out. Its last number stands.", "Look at the till.", []
        case Verdict.ITEM_UNCOUNTED:
            return Standing.PERSON, "The till no longer counts this item. Its last number stands.", "Look at the till.", []
        case Verdict.NO_TARGET:
            next_step = "Let the till count the item, or say under Supply which place supplies this shop."
            return Standing.PERSON, "Its number is left alone.", next_step, []
        case Verdict.UNOPENED:
            return Standing.WAITING, "Its number waits for a reading without news in between.", until_sync(when), []
        case Verdict.UNANSWERED:
            return trouble_of(facts.write, gap, facts.store, when)
        case Verdict.DISPUTED:
            off = amount(units_of(facts.difference or ZERO, facts.per), signed=True)
            why = f"{off} in the shop is explained by no order and no write of ours. Nothing is written until somebody decides."
            return Standing.PERSON, why, "Settle the conflict.", [facts.conflict] if facts.conflict else []
        case Verdict.SUSPECT:
            off = amount(units_of(facts.suspect or ZERO, facts.per), signed=True)
            next_step = f"It gets a second look. {until_sync(when)}"
            return Standing.WAITING, f"{off} in the shop is explained by nothing so far.", next_step, []
        case Verdict.OFF if facts.put_off or facts.shows is None:
            return _put_off(facts, when)
        case Verdict.OFF if not gap:
            return Standing.WAITING, "Its number was off when an order on it changed.", until_sync(when), []
        case _:
            if gap:
                return _owing(facts, gap, when)
            return _put_off(facts, when) if facts.put_off else (Standing.IN_STEP, "", "", [])


def _put_off(facts: ShopFacts, when: Moment) -> tuple[Standing, str, str, list[Link]]:
    if facts.put_off is None:
        return Standing.WAITING, "Its number waits for a reading without news in between.", until_sync(when), []
    often = f"put off {facts.put_off.times} times since {moment_said(facts.put_off.since, when.zone, when.now)}"
    return Standing.WAITING, f"Its last number can't be used yet ({often}): {facts.put_off.why}.", until_sync(when), []


def _owing(facts: ShopFacts, gap: Decimal, when: Moment) -> tuple[Standing, str, str, list[Link]]:
    if not facts.is_live:
        why = f"{facts.store} is only observed: it is owed {amount(gap, signed=True)} and told nothing."
        return Standing.OBSERVED, why, "Set it live when its plans look right.", []
    if facts.held_run and not (facts.write and facts.write.state == Try.PENDING):
        why = f"It is owed {amount(gap, signed=True)}, and a sync waits for a manager."
        return Standing.PERSON, why, "Release or discard the held sync.", [facts.held_run]
    return trouble_of(facts.write, gap, facts.store, when)
