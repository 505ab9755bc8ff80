"""From the shelf to what the till says, and what becomes of what a system is still owed (ledger.md §3, §6)."""

from decimal import Decimal

from sync.core.targets import owed
from sync.core.why.facts import Moment, Shelf, Try, Write
from sync.core.why.steps import ZERO, Bridge, Link, Run, Standing, Tone, amount, moment_said


def until_sync(when: Moment) -> str:
    """Result: when the next sync looks."""
    if when.next_sync is None:
        return "The next sync looks again."
    return f"The next sync, at {moment_said(when.next_sync, when.zone, when.now)} at the latest, looks again."


def till_bridge(shelf: Shelf, *, till: str, is_live: bool, when: Moment) -> Bridge:
    """Result: how what the till says follows from what lies there. The till should say what is on hand: it counts the shelf."""
    run = Run(shelf.on_hand)
    run.total(f"On hand at {shelf.place}")
    if shelf.baseline is None or shelf.reading is None:
        why = f"The till has not counted it at {shelf.place}."
        return Bridge(run.steps, Standing.UNKNOWN, f"What {till} says of it at {shelf.place} is unknown.", why, until_sync(when))
    gap = owed(target=shelf.on_hand, baseline=shelf.baseline)
    flying = shelf.write.delta if shelf.write and shelf.write.state == Try.UNANSWERED else ZERO
    links = [Link("write", shelf.write.key, "the adjustment")] if shelf.write else []
    run.add(f"Sent to {till}, not booked there yet", -flying, Tone.HELD, links=links)
    run.add(f"Not told to {till} yet", -(gap - flying), Tone.HELD)
    run.add("Booked at the till since it was read", shelf.reading - run.left, Tone.HELD)
    read = f"true {moment_said(shelf.read_at, when.zone, when.now)}" if shelf.read_at else ""
    run.total(f"{till} says", at=shelf.read_at, note=read)
    standing, why, next_step, links = _standing(shelf, gap, till, is_live=is_live, when=when)
    return Bridge(run.steps, standing, _sentence(shelf, gap, till), why, next_step, links)


def _sentence(shelf: Shelf, gap: Decimal, till: str) -> str:
    said, lies = amount(shelf.reading), amount(shelf.on_hand)
    if shelf.reading == shelf.on_hand and not gap:
        return f"{till} says {said}, as many as lie at {shelf.place}."
    if not gap:
        return f"{till} said {said}; with what it was told since, it has {lies}, as many as lie at {shelf.place}."
    return f"{till} says {said}; {lies} lie at {shelf.place}, since it has not taken in {amount(gap, signed=True)} yet."


def _standing(shelf: Shelf, gap: Decimal, till: str, *, is_live: bool, when: Moment) -> tuple[Standing, str, str, list[Link]]:
    if shelf.write and shelf.write.state == Try.UNANSWERED:
        return _handed(shelf.write, till, when)
    if gap and not is_live:
        why = f"{till} is only observed: it is not told of {amount(gap, signed=True)} that moved elsewhere."
        return Standing.OBSERVED, why, "Set it live to have it told, or book it there by hand.", []
    if gap:
        return trouble_of(shelf.write, gap, till, when)
    if shelf.put_off:
        often = f"put off {shelf.put_off.times} times since {moment_said(shelf.put_off.since, when.zone, when.now)}"
        return Standing.WAITING, f"Its last number can't be used yet ({often}): {shelf.put_off.why}.", until_sync(when), []
    return Standing.IN_STEP, "", "", []


def _handed(write: Write, till: str, when: Moment) -> tuple[Standing, str, str, list[Link]]:
    """A till takes adjustments in when it is ready: by a file, at its own time."""
    sent = f" {moment_said(write.sent_at, when.zone, when.now)}" if write.sent_at else ""
    why = f"{amount(write.delta, signed=True)} was handed to {till}{sent} and is not booked there yet."
    next_step = "It is booked once the till takes its adjustments in; until then the till's own numbers of it wait."
    return Standing.WAITING, why, next_step, [Link("write", write.key, "the adjustment")]


def trouble_of(write: Write | None, gap: Decimal, system: str, when: Moment) -> tuple[Standing, str, str, list[Link]]:
    """Result: what becomes of what a system is owed (`gap`, with what is in flight), by its newest write."""
    owing = amount(gap, signed=True)
    if write is None or write.state == Try.DONE or (write.state in (Try.HELD, Try.FAILED) and write.about != gap):
        return Standing.WAITING, f"{system} is owed {owing}.", until_sync(when).replace("looks again", "tells it"), []
    links = [Link("write", write.key, "the write")]
    until = f"from {moment_said(write.until, when.zone, when.now)} on" if write.until else "with the next sync"
    if write.state == Try.UNANSWERED:
        sent = f" {moment_said(write.sent_at, when.zone, when.now)}" if write.sent_at else ""
        why = f"{amount(write.delta, signed=True)} was sent to {system}{sent} and has no answer yet."
        return Standing.WAITING, why, f"It is looked up {until}; until then nothing more is sent.", links
    if write.state == Try.PENDING:
        return Standing.WAITING, f"{system} is owed {owing}; it is to be sent.", f"It goes out {until}.", links
    if write.is_released:
        return Standing.WAITING, f"{system} is owed {owing}. {write.error}", "It is tried again with the next sync.", links
    if write.state == Try.HELD:
        return (
            Standing.FAILED,
            f"{system} did not take {owing}. {write.error}".strip(),
            f"Mend it there and choose “Try again” on the write; by itself it is tried once more {until}.",
            links,
        )
    return Standing.WAITING, f"{owing} did not reach {system}. {write.error}".strip(), "The next sync tries again.", links
