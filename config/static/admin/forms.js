/* What Django's own form widgets leave out for people who don't see them. Nothing depends on this script. */
'use strict';
const whenReady = window.django && window.django.jQuery ? window.django.jQuery : (work) => work();
whenReady(() => {
    const said = (element) => element ? element.textContent.replace(/[:\s]+$/, '').trim() : '';

    // A field with search has its label on the select behind it.
    for (const select of document.querySelectorAll('select.admin-autocomplete')) {
        const label = said(document.querySelector(`label[for="${select.id}"]`));
        const shown = select.parentElement.querySelector('.select2-selection');
        if (!label || !shown) continue;
        for (const part of [shown, ...shown.querySelectorAll('[role="textbox"]')]) {
            part.removeAttribute('aria-labelledby');
            part.setAttribute('aria-label', label);
        }
    }
    // A moment is two fields with one heading.
    for (const field of document.querySelectorAll('.vDateField, .vTimeField')) {
        if (field.labels.length) continue;
        const heading = said(field.closest('.form-row, td')?.querySelector('label, legend')) || field.name;
        field.setAttribute('aria-label', `${heading}, ${field.classList.contains('vDateField') ? 'date' : 'time'}`);
    }
    // A field in a list is called by its column.
    for (const field of document.querySelectorAll('#result_list td input:not([type=hidden], .action-select), #result_list td select')) {
        if (field.labels.length || field.hasAttribute('aria-label')) continue;
        const column = field.closest('table').tHead.rows[0].cells[field.closest('td').cellIndex];
        const row = field.closest('tr').querySelector('th');
        field.setAttribute('aria-label', [said(column), said(row)].filter(Boolean).join(', '));
    }
    // A heading that names nothing is no heading.
    for (const heading of document.querySelectorAll('th')) {
        if (heading.textContent.trim() || heading.querySelector('input, img, a')) continue;
        const cell = document.createElement('td');
        cell.className = heading.className;
        heading.replaceWith(cell);
    }
});
// Two lists side by side are drawn only now.
window.addEventListener('load', () => {
    for (const icon of document.querySelectorAll('span.help-tooltip[aria-label]')) icon.setAttribute('role', 'img');
});
