/* The editor of a message text: the preview follows what is typed, a button puts a placeholder in. */
(() => {
  'use strict'
  const edit = document.querySelector('[data-message-edit]')
  if (!edit) return
  const samples = JSON.parse(edit.dataset.samples)
  const unknown = edit.querySelector('[data-preview-unknown]')
  const fields = ['subject', 'body'].map((name) => edit.querySelector(`[name="${name}"]`)).filter(Boolean)
  let last = edit.querySelector('[name="body"]')

  const show = () => {
    const strange = new Set()
    for (const field of fields) {
      const target = edit.querySelector(`[data-preview="${field.name}"]`)
      if (!target) continue
      target.textContent = field.value.replace(/\{([^{}\s]{1,40})\}/g, (whole, name) => {
        if (Object.hasOwn(samples, name)) return samples[name]
        strange.add(whole)
        return whole
      })
    }
    unknown.hidden = !strange.size
    unknown.textContent = strange.size ? `${unknown.dataset.words} ${[...strange].join(', ')}` : ''
  }
  for (const field of fields) {
    field.addEventListener('input', show)
    field.addEventListener('focus', () => { last = field })
  }
  edit.addEventListener('click', (event) => {
    const button = event.target.closest('[data-insert]')
    if (!button) return
    last.setRangeText(button.dataset.insert, last.selectionStart, last.selectionEnd, 'end')
    last.focus()
    last.dispatchEvent(new Event('input', { bubbles: true }))
  })
  show()
})()
