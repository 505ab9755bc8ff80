"""The first two steps: the shop and the till, each told by its newest test and by how it fares."""

from django.utils.timesince import timesince

from backoffice.setup.parts import ADD, CHANGE, Act, State, Step
from backoffice.setup.rows import Rows, StoreRows
from connectors.contract import Side
from connectors.models import Connection, ConnectionCheck
from connectors.registry import LABELS, kind_get


def add_acts(side: Side, *, is_main: bool) -> list[Act]:
    """Result: a button for each kind of that side."""
    kinds = [kind for kind in sorted(LABELS) if kind_get(kind).capabilities.side == side]
    word = "Add a" if is_main else "Add another"
    return [Act(f"{word} {_kind_word(kind)}", "setup_add", (kind,), needs=ADD, is_main=is_main) for kind in kinds]


def _kind_word(kind: str) -> str:
    label = LABELS[kind]
    return label if label[:2].isupper() or label.startswith("WooCommerce") else label[0].lower() + label[1:]


def shop_missing() -> Step:
    return Step(
        "shop", "Add the shop", State.NEXT,
        "Its address and a key, and we look whether it can be used. Nothing is changed there.",
        acts=add_acts(Side.STORE, is_main=True),
    )  # fmt: skip


def shop_step(one: StoreRows) -> Step:
    state, sentence, acts = _side(one.store, one.check)
    return Step("shop", "Add the shop", state, sentence, acts=acts, notes=_asides(one.check))


def till_step(rows: Rows, one: StoreRows | None) -> Step:
    title, tills = "Add the till", one.tills if one else rows.tills
    if not rows.tills:
        sentence = "A till that exports its stock list as a file, or one that can be asked directly."
        return Step("till", title, State.NEXT, sentence, acts=add_acts(Side.POS, is_main=True))
    if not tills:
        sentence = f"There are {len(rows.tills)} tills, and nobody has said which of them supplies this shop."
        act = Act(
            "Say which locations supply it", "alignment_storelocation_add", needs="alignment.add_storelocation", is_main=True
        )
        return Step("till", title, State.WRONG, sentence, acts=[act, *_one_each(rows)])
    found = [(till, *_till_side(rows, till)) for till in tills]
    till, state, sentence, acts = next((each for each in found if each[1] != State.DONE), found[0])
    if len(found) > 1:
        sentence = f"{till.name}: {sentence}" if state != State.DONE else " ".join(f"{each[0].name}: {each[2]}" for each in found)
        acts = [act for each in found for act in each[3]] if state == State.DONE else acts
    return Step("till", title, state, sentence, acts=acts, notes=_asides(rows.checks.get(till.pk)))


def _one_each(rows: Rows) -> list[Act]:
    return [Act(f"Test of {till.name}", "setup_connection", (till.pk,)) for till in rows.tills]


def _till_side(rows: Rows, till: Connection) -> tuple[State, str, list[Act]]:
    """As `_side`; a till that tells by files must have told something, or at least have left a file that can be read."""
    check = rows.checks.get(till.pk)
    state, sentence, acts = _side(till, check)
    if till.spec.capabilities.files:
        sample = Act("Look at a sample export", "setup_sample", (till.pk,), needs=CHANGE)
        acts = [*acts, sample]
        if state == State.DONE and till.pk not in rows.told and "newest export" not in till.facts:
            sentence = (
                "No export has arrived yet. Let the till put one into its folder, then test again. Until then, look at a sample "
                "to see whether it will be read as it should be."
            )
            again = Act("Test again", "setup_connection", (till.pk,), needs=CHANGE, posts=True)
            look = Act(sample.label, sample.view, sample.args, needs=CHANGE, is_main=True)
            return State.NEXT, sentence, [look, again, *acts[:-1]]
    return state, sentence, acts


def _side(connection: Connection, check: ConnectionCheck | None) -> tuple[State, str, list[Act]]:
    """Result: how one system fares, in words, and what to do about it."""
    findings = Act("What was found", "setup_connection", (connection.pk,))
    test = Act("Test it", "setup_connection", (connection.pk,), needs=CHANGE, is_main=True, posts=True)
    correct = Act("Correct its settings", "connectors_connection_change", (connection.pk,), needs=CHANGE, is_main=True)
    failed_since = connection.failures_in_row and connection.last_error_at and (not check or connection.last_error_at > check.at)
    if failed_since:
        return State.WRONG, f"It failed when it was asked last: {connection.last_error}".strip(), [test, correct, findings]
    if check is None and connection.last_ok_at:
        return State.DONE, f"It answers; the last time {timesince(connection.last_ok_at)} ago.", [findings]
    if check is None:
        return State.NEXT, "It is saved, and was never tested.", [test, findings]
    if not check.is_of_now:
        return State.NEXT, "Its settings have changed since it was tested.", [test, findings]
    if not check.is_ok:
        bad = next((one for one in check.findings if one["tone"] == "bad"), {"message": "", "next_step": ""})
        return State.WRONG, f"{bad['message']} {bad['next_step']}".strip(), [correct, findings, _plain(test)]
    return State.DONE, _described(connection), [findings]


def _plain(act: Act) -> Act:
    return Act("Test again", act.view, act.args, needs=act.needs, posts=True)


def _described(connection: Connection) -> str:
    """Result: what it told of itself, in a line."""
    facts = connection.facts
    if connection.side == Side.STORE:
        told = [f"WooCommerce {facts['version']}" if facts.get("version") else LABELS[connection.kind]]
        told += [f"{int(facts['products']):,} products"] if str(facts.get("products", "")).isdigit() else []
        told += [f"prices in {connection.currency}"] if connection.currency else []
        return f"{', '.join(told)}. It can be read and written to."
    if facts.get("rows"):
        return f"Its newest export, “{facts.get('newest export', '')}”, can be read: {int(facts['rows']):,} rows."
    places = f" It keeps stock at: {facts['locations']}." if facts.get("locations") else ""
    return f"It can be read and told what is sold online.{places}"


def _asides(check: ConnectionCheck | None) -> list[str]:
    """Result: what works and wants a look."""
    return [one["message"] for one in check.findings if one["tone"] == "warn"][:3] if check and check.is_ok else []
