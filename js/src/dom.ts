// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
/** Elements of the page. Text is always set as text: a file's name is never markup. */

/** Make an element with a class below `oarepo-s3`, and with a text. */
export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  name: string,
  text = '',
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag)
  made.className = `oarepo-s3-${name}`
  made.textContent = text
  return made
}

/** Make a button that does not send a form which it may stand in. */
export function makeButton(text: string, label: string, press: () => void): HTMLButtonElement {
  const button = make('button', 'button', text)
  button.type = 'button'
  button.setAttribute('aria-label', label)
  button.addEventListener('click', press)
  return button
}

const FOCUSABLE = 'button:not([disabled], [hidden]), a[href]'

/** A titled list that is hidden while it is empty. */
export class ListRegion {
  readonly element: HTMLElement
  readonly #list: HTMLUListElement
  readonly #items = new Map<string, HTMLLIElement>()

  constructor(name: string, title: string) {
    this.element = make('section', name)
    this.element.setAttribute('aria-label', title)
    this.#list = make('ul', 'list')
    this.element.append(make('p', 'title', title), this.#list)
    this.element.hidden = true
  }

  /** Put an item at the end, or in the place of the one with the same id. */
  put(id: string, ...content: Node[]): void {
    const item = make('li', 'item')
    item.append(...content)
    const before = this.#items.get(id)
    if (before) before.replaceWith(item)
    else this.#list.append(item)
    this.#items.set(id, item)
    this.element.hidden = false
  }

  /** Take an item away; a focus that was in it goes to the next one, or to what is before the list. */
  remove(id: string): void {
    const item = this.#items.get(id)
    if (!item) return
    const hadFocus = item.contains(document.activeElement)
    const next = item.nextElementSibling ?? item.previousElementSibling
    item.remove()
    this.#items.delete(id)
    this.element.hidden = this.#items.size === 0
    if (hadFocus) (next ?? this.element.parentElement)?.querySelector<HTMLElement>(FOCUSABLE)?.focus()
  }
}
