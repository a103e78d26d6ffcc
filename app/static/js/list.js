/* Choosing rows of a list for a batch action: all, none, how many; Shift chooses a stretch. */
(() => {
  'use strict'
  for (const form of document.querySelectorAll('form[data-batch]')) {
    const boxes = [...form.querySelectorAll('[data-check]')]
    const every = form.querySelector('[data-check-all]')
    const bar = form.querySelector('[data-batch-bar]')
    const count = form.querySelector('[data-batch-count]')
    let last = null
    const update = () => {
      const chosen = boxes.filter((box) => box.checked).length
      for (const box of boxes) box.closest('tr')?.classList.toggle('is-chosen', box.checked)
      if (every) {
        const most = boxes.filter((box) => !box.disabled).length
        every.checked = chosen > 0 && chosen === most
        every.indeterminate = chosen > 0 && chosen < most
      }
      count.textContent = count.dataset.text.replace('{n}', chosen)
      bar.classList.toggle('is-empty', chosen === 0)
    }
    const setAll = (on) => { for (const box of boxes) if (!box.disabled) box.checked = on; update() }
    every?.addEventListener('change', () => setAll(every.checked))
    form.querySelector('[data-check-none]')?.addEventListener('click', () => { setAll(false); every?.focus() })
    for (const [index, box] of boxes.entries()) {
      box.addEventListener('click', (event) => {
        if (event.shiftKey && last !== null) {
          for (let i = Math.min(last, index); i <= Math.max(last, index); i += 1) {
            if (!boxes[i].disabled) boxes[i].checked = box.checked
          }
        }
        last = index
        update()
      })
    }
    update()
    window.addEventListener('pageshow', update)
  }
})()
