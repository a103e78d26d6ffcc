/* The courier's page opens with the number already copied: couriers ignore a number in an address. */
(() => {
  'use strict'
  /* without https there is no clipboard to write to, but the old way still works */
  const oldCopy = (text) => {
    const box = document.createElement('textarea')
    box.value = text
    box.className = 'sr-only'
    box.setAttribute('readonly', '')
    document.body.append(box)
    const before = document.activeElement
    box.select()
    let done = false
    try { done = document.execCommand('copy') } catch { /* it is said below */ }
    box.remove()
    before?.focus?.()
    return done
  }
  document.addEventListener('click', (event) => {
    const link = event.target.closest('[data-copy-first]')
    if (!link) return
    const text = link.dataset.copyFirst
    const words = link.querySelector('[data-copy-words]') || link
    const said = words.textContent
    const say = (copied) => {
      words.textContent = copied ? link.dataset.copied : text
      setTimeout(() => { words.textContent = said }, 6000)
    }
    /* started before the new tab takes the focus away */
    if (navigator.clipboard?.writeText) navigator.clipboard.writeText(text).then(() => say(true), () => say(oldCopy(text)))
    else say(oldCopy(text))
  })
})()
