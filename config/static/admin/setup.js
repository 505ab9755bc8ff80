/* A sample's preview follows the choices. Without this script “Look again” does the same. */
'use strict';
{
    const form = document.getElementById('columns');
    let asked = 0;

    const look = async (changed) => {
        const mine = ++asked;
        const answer = await fetch(window.location.href, {method: 'POST', body: new FormData(form), credentials: 'same-origin'});
        if (!answer.ok || mine !== asked) return;
        const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
        for (const id of ['verdict', 'preview', 'column-fields', 'reading-fields']) {
            const [part, old] = [fresh.getElementById(id), document.getElementById(id)];
            if (part && !old.contains(changed)) old.innerHTML = part.innerHTML; // our own page's, escaped there
        }
    };

    if (form) {
        form.addEventListener('change', (event) => { look(event.target).catch(() => {}); });
        // Chosen before this script was there, or brought back by the browser.
        const early = [...form.querySelectorAll('select')].find((one) => [...one.options].some((all) => all.selected && !all.defaultSelected));
        if (early) look(early).catch(() => {});
    }
}
