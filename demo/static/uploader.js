// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
/** The list below the uploader: what the bucket has, asked again after each upload. */

const list = document.querySelector('#list')
const empty = document.querySelector('#empty')

async function show() {
  const answer = await fetch(list.dataset.bucket)
  const { contents } = await answer.json()
  const sorted = contents.sort((one, other) => one.key.localeCompare(other.key))
  list.replaceChildren(...sorted.map(describe))
  list.hidden = sorted.length === 0
  empty.hidden = sorted.length > 0
}

function describe({ key, size }) {
  const link = document.createElement('a')
  // Text stays text: a file may have any name.
  link.textContent = key
  link.href = `${list.dataset.bucket}/${encodeURIComponent(key)}`
  link.download = key
  const bytes = document.createElement('span')
  bytes.textContent = `${size.toLocaleString(document.documentElement.lang)} bytes`
  const item = document.createElement('li')
  item.append(link, bytes)
  return item
}

document.addEventListener('upload-success', show)
await show()
