"""The steps of setting up a shop, each with its state and what to do next. Told by the rows alone: nobody's clicks are kept, so
leaving and coming back goes on where things stand."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal

from django.utils.timesince import timesince

from backoffice.setup.parts import LIVE, START, Act, Path, State, Step
from backoffice.setup.rows import Rows, StoreRows
from backoffice.setup.sides import shop_missing, shop_step, till_step
from kit.words import counted
from reporting.core.words import percent_said
from reporting.metrics.figures import COVERAGE
from sync.models import HookHealth, SyncRun

Run = SyncRun.State
OLD = timedelta(days=1)  # a shadow run says how things were


def paths(rows: Rows) -> list[Path]:
    """Result: the way of each shop, in the order they were added; that of the first one where there is none."""
    if not rows.stores:
        return [Path(None, [shop_missing(), till_step(rows, None), *_later()])]
    return [Path(one.store, list(_steps(rows, one))) for one in rows.stores]


def _steps(rows: Rows, one: StoreRows) -> Iterator[Step]:
    shop = shop_step(one)
    till = till_step(rows, one)
    ready = shop.state == till.state == State.DONE
    align = _align(one, ready=ready)
    shadow = _shadow(one, ready=ready, now=rows.at)
    yield from (shop, till, align, shadow, _live(one, ready=ready, shadow=shadow))


# -- 3: align ----------------------------------------------------------------------------------------------------------


def _align(one: StoreRows, *, ready: bool) -> Step:
    title, pk = "Align items and products", one.store.pk
    read = Act("Read both sides and find partners", "setup_read", (pk,), needs=START, is_main=True, posts=True)
    again = Act("Find partners again", "setup_read", (pk,), needs=START, posts=True)
    if not ready and not one.items_aligned:
        return Step("align", title, State.LATER, "First the shop and the till.")
    running = _running(one)
    if running and not one.items_aligned:
        return Step("align", title, State.DOING, f"{running} Partners are looked for as soon as both sides are read.")
    if not (one.items and one.listings):
        state, why = _stopped(one)
        said = why or "Read the till's items and the shop's products; those that are plainly the same propose themselves."
        return Step("align", title, state, said, acts=[read, *_run_page(one)] if why else [read])
    share = _share(one)
    between = f"till={one.tills[0].pk}&store={pk}" if len(one.tills) == 1 else f"store={pk}"
    review = Act(
        f"Review {counted(one.proposals, 'proposal', 'proposals')}", "alignment_alignment_review", query=between, is_main=True
    )
    imports = Act("Import a file", "alignment_alignment_import", needs="alignment.add_alignment")
    said = (
        f"{one.items_aligned:,} of {counted(one.items, 'item has', 'items have')} a partner in the shop: {percent_said(share)}."
    )
    if not one.items_aligned and not one.proposals:
        nothing = (
            f"{counted(one.items, 'item', 'items')} and {counted(one.listings, 'product', 'products')} were read, and no two of "
            "them look alike. Check that this is the right shop and the right till; else say in a file which is which."
        )
        import_first = Act(imports.label, imports.view, needs=imports.needs, is_main=True)
        return Step("align", title, State.WRONG, nothing, acts=[import_first, again], share=share)
    acts = [*([review] if one.proposals else []), imports, again]
    if COVERAGE.meets(share):
        return Step("align", title, State.DONE, f"{said} The goal of 95 % is met.", acts=acts, share=share)
    left = " What has no partner is not synced; everything else can go on." if one.items_aligned else ""
    return Step("align", title, State.NEXT, f"{said} The goal is over 95 %.{left}", acts=acts, share=share)


def _share(one: StoreRows) -> Decimal:
    """Result: the aligned part of the till's items in percent, cut, never “100” while one is left."""
    return (Decimal(100 * one.items_aligned) / one.items).quantize(Decimal("0.1"), ROUND_DOWN)


def _running(one: StoreRows) -> str:
    run = one.newest_run
    if run is None or run.state != Run.RUNNING:
        return ""
    return f"A sync is at work: {run.get_phase_display().lower()}, for {timesince(run.started_at)}."


def _stopped(one: StoreRows) -> tuple[State, str]:
    """Result: whether the newest run ended as nobody wants it, and why."""
    run = one.newest_run
    if run is None or run.state not in (Run.FAILED, Run.HELD):
        return State.NEXT, ""
    return State.WRONG, f"The last reading {'failed' if run.state == Run.FAILED else 'is held'}: {run.message}"


def _run_page(one: StoreRows) -> list[Act]:
    run = one.newest_run
    return [Act("The run, with each problem", "sync_syncrun_change", (run.pk,))] if run else []


# -- 4: shadow run -----------------------------------------------------------------------------------------------------


def _shadow(one: StoreRows, *, ready: bool, now: datetime) -> Step:
    title, run = "Shadow run", one.shadow_run
    report = [Act("Go-live report", "setup_report", (one.store.pk,), is_main=True)] if run else []
    start = Act("Start a shadow run", "setup_shadow", (one.store.pk,), needs=START, is_main=True, posts=True)
    again = Act("Run again", "setup_shadow", (one.store.pk,), needs=START, posts=True)
    if one.store.is_live:
        seen = "What it said stands in its report." if run else "The shop was set live without one."
        return Step("shadow", title, State.DONE if run else State.SKIPPED, seen, acts=report)
    if not (ready and one.items_aligned):
        return Step("shadow", title, State.LATER, "First the shop, the till, and at least one pair that is aligned.", acts=report)
    if running := _running(one):
        return Step("shadow", title, State.DOING, f"{running} Nothing is written to the shop.", acts=report)
    if run is None or run.state == Run.FAILED:
        why = (
            f"It failed: {run.message}"
            if run
            else "A whole sync in observe mode: it reads, decides and reports, and writes nothing."
        )
        problem = [Act("The run, with each problem", "sync_syncrun_change", (run.pk,))] if run else []
        return Step("shadow", title, State.WRONG if run else State.NEXT, why, acts=[start, *problem])
    said = _would(run)
    if run.finished_at and now - run.finished_at > OLD:
        said = f"{said} That was {timesince(run.finished_at, now)} ago: run it again for what is so now."
    if one.unread:
        more = f"{counted(one.unread, 'pair was', 'pairs were')} aligned since, and not compared yet: run it again."
        return Step("shadow", title, State.NEXT, f"{said} {more}", acts=[start, *report])
    if run.state == Run.HELD:
        held = f"{said} The first sync would be held: {' '.join(run.held_for)}"
        return Step("shadow", title, State.DONE, held, acts=[*report, again])
    return Step("shadow", title, State.DONE, said, acts=[*report, again])


def _would(run: SyncRun) -> str:
    prices = run.counts.get("price_changes", 0)
    numbers = counted(run.counts.get("changes", 0), "number", "numbers")
    also = f" and {counted(prices, 'price', 'prices')}" if prices else ""
    return f"A first sync would change {numbers}{also} of {counted(run.counts.get('pairs', 0), 'pair', 'pairs')}."


# -- 5: live -----------------------------------------------------------------------------------------------------------


def _live(one: StoreRows, *, ready: bool, shadow: Step) -> Step:
    title, pk = "Go live", one.store.pk
    if one.store.is_live:
        observing = [till.name for till in one.tills if not till.is_live]
        notes = [f"“{name}” is in observe mode: it isn't told what is sold online." for name in observing]
        return Step(
            "live", title, State.DONE, f"“{one.store}” is live: what is owed is written. {_hooks(one)}".strip(), notes=notes
        )
    if not ready or one.shadow_run is None or one.shadow_run.state == Run.FAILED:
        return Step("live", title, State.LATER, "First a shadow run, so that you know what will be written.")
    if _running(one) or shadow.state != State.DONE:
        return Step("live", title, State.LATER, "As soon as the shadow run has compared every pair.")
    act = Act("Go live…", "setup_go_live", (pk,), needs=LIVE, is_main=True)
    return Step("live", title, State.NEXT, "Read the go-live report; then let Evenstock write to the shop.", acts=[act])


def _hooks(one: StoreRows) -> str:
    if one.hooks is None:
        return "Its webhooks are seen to within a quarter of an hour." if one.store.spec.capabilities.webhooks else ""
    return "It tells us of orders at once." if one.hooks.state == HookHealth.State.WORKING else one.hooks.message


def _later() -> list[Step]:
    return [
        Step(
            "align",
            "Align items and products",
            State.LATER,
            "Say which item of the till is which product of the shop; most are found.",
        ),
        Step(
            "shadow", "Shadow run", State.LATER, "A whole sync that writes nothing, and a report of what it would have written."
        ),
        Step("live", "Go live", State.LATER, "Let Evenstock write to the shop."),
    ]
