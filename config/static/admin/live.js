/* “Today” and “Set-up” without reloading: every few seconds the parts that changed are put in place of the old ones. Pauses while nobody looks. */
'use strict';
{
    const page = document.querySelector('[data-live]');
    const EVERY = 1000 * Number(page?.dataset.every || 15);
    const settled = (part) => part.contains(document.activeElement) || part.querySelector('details[open]');

    const refresh = async () => {
        if (document.hidden) return;
        const answer = await fetch(page.dataset.live, {credentials: 'same-origin', headers: {'X-Requested-With': 'XMLHttpRequest'}});
        if (answer.redirected || answer.status === 403) {
            window.location.reload(); // logged out meanwhile, or no longer allowed: the page says so
            return;
        }
        if (!answer.ok) return;
        const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
        for (const part of fresh.querySelectorAll('[id^="live-"]')) {
            const old = document.getElementById(part.id);
            if (!old || settled(old) || old.innerHTML === part.innerHTML) continue;
            old.className = part.className;
            old.innerHTML = part.innerHTML; // our own page's, escaped there
        }
    };
    const again = () => refresh().catch(() => {}).then(() => setTimeout(again, EVERY));

    if (page) {
        setTimeout(again, EVERY);
        document.addEventListener('visibilitychange', () => { refresh().catch(() => {}); });
    }
}
