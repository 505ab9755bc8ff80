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
        const parts = changed.name.startsWith('column_') ? ['preview'] : ['preview', 'column-fields'];
        for (const id of parts) {
            const part = fresh.getElementById(id);
            if (part) document.getElementById(id).innerHTML = part.innerHTML; // our own page's, escaped there
        }
    };

    if (form) form.addEventListener('change', (event) => { look(event.target).catch(() => {}); });
}
