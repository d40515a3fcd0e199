// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
/** Elements of the page. Text is always set as text: a file's name is never markup. */
/** Make an element with a class below `oarepo-s3`, and with a text. */
export function make(tag, name, text = '') {
    const made = document.createElement(tag);
    made.className = `oarepo-s3-${name}`;
    made.textContent = text;
    return made;
}
/** Make a button that does not send a form which it may stand in. */
export function makeButton(text, label, press) {
    const button = make('button', 'button', text);
    button.type = 'button';
    button.setAttribute('aria-label', label);
    button.addEventListener('click', press);
    return button;
}
const FOCUSABLE = 'button:not([disabled], [hidden]), a[href]';
/** A titled list that is hidden while it is empty. */
export class ListRegion {
    element;
    #list;
    #items = new Map();
    constructor(name, title) {
        this.element = make('section', name);
        this.element.setAttribute('aria-label', title);
        this.#list = make('ul', 'list');
        this.element.append(make('p', 'title', title), this.#list);
        this.element.hidden = true;
    }
    /** Put an item at the end, or in the place of the one with the same id. */
    put(id, ...content) {
        const item = make('li', 'item');
        item.append(...content);
        const before = this.#items.get(id);
        if (before)
            before.replaceWith(item);
        else
            this.#list.append(item);
        this.#items.set(id, item);
        this.element.hidden = false;
    }
    /** Take an item away; a focus that was in it goes to the next one, or to what is before the list. */
    remove(id) {
        const item = this.#items.get(id);
        if (!item)
            return;
        const hadFocus = item.contains(document.activeElement);
        const next = item.nextElementSibling ?? item.previousElementSibling;
        item.remove();
        this.#items.delete(id);
        this.element.hidden = this.#items.size === 0;
        if (hadFocus)
            (next ?? this.element.parentElement)?.querySelector(FOCUSABLE)?.focus();
    }
}
