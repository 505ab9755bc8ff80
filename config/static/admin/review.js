/* Proposals by keyboard: each key presses a button of the pair in focus. Without this script the buttons do the same. */
'use strict';
{
    const pairs = [...document.querySelectorAll('.review')];
    const current = () => document.activeElement.closest('.review');
    const go = (pair) => { if (pair) { pair.focus(); pair.scrollIntoView({block: 'nearest'}); } };
    const press = (button) => { if (button) button.click(); };

    document.addEventListener('keydown', (event) => {
        if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches('input:not([type=hidden]), select, textarea')) return;
        const pair = current() || pairs[0];
        const key = event.key.toLowerCase();
        const isHeld = event.repeat;  // a key that stays down must not decide one pair after the other
        if (key === 'j' || key === 'k') {
            const at = pairs.indexOf(current());
            go(pairs[key === 'j' ? at + 1 : Math.max(0, at - 1)]);
        } else if (isHeld) {
            return;
        } else if (key === 'u') {
            press(document.getElementById('undo'));
        } else if (pair && key === 'a') {
            press(pair.querySelector('[name=accept]'));
        } else if (pair && key === 'r') {
            press(pair.querySelector('[name=reject]'));
        } else if (pair && /^[1-9]$/.test(key)) {
            press(pair.querySelectorAll('[name=choose]')[Number(key) - 1]);
        } else {
            return;
        }
        event.preventDefault();
    });
    go(pairs[0]);
}
