/* SOP Hidup: the share that would have kept to another standard, while one types. Without this
   script the same form asks the server. */
(() => {
  'use strict'
  const form = document.querySelector('[data-living]')
  const block = document.getElementById('living-data')
  if (!form || !block) return
  const { steps, words, most } = JSON.parse(block.textContent)
  const language = document.documentElement.lang || 'id'
  const percent = new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 0 })
  const number = new Intl.NumberFormat(language)
  const publish = document.querySelector('[data-living-publish]')
  const total = form.querySelector('[data-try-total]')

  /* what the kept classes can tell: whole minutes up to two hours, steps of five beyond */
  const mistake = (text) => {
    if (!/^\d+$/.test(text) || Number(text) < 1 || Number(text) > most) return words.range
    return Number(text) > 120 && Number(text) % 5 ? words.five : ''
  }
  const share = ({ classes, cases }, minutes) => classes.reduce((kept, [bound, n]) => (bound <= minutes * 60 ? kept + n : kept), 0) / cases

  const keep = (name, value) => {
    let input = publish.querySelector(`input[name="${name}"]`)
    if (!input) {
      input = document.createElement('input')
      input.type = 'hidden'
      input.name = name
      publish.append(input)
    }
    input.value = value
  }

  const answer = () => {
    let sum = 0
    let changed = 0
    let wrong = 0
    if (publish) for (const input of publish.querySelectorAll('input[name^="std_"], input[name^="old_"]')) input.remove()
    for (const input of form.querySelectorAll('[data-try]')) {
      const key = input.dataset.try
      const step = steps[key]
      const text = input.value.trim()
      const place = form.querySelector(`[data-answer="${key}"]`)
      const why = text ? mistake(text) : ''
      input.closest('.field').classList.toggle('has-error', Boolean(why))
      if (why) input.setAttribute('aria-invalid', 'true')
      else input.removeAttribute('aria-invalid')
      place.replaceChildren()
      if (why) {
        wrong += 1
        const said = document.createElement('span')
        said.className = 'field-errors'
        said.textContent = why
        place.append(said)
      } else if (text && step.cases) {
        place.textContent = words.would.replace('{share}', percent.format(share(step, Number(text))))
      }
      const minutes = text && !why ? Number(text) : step.standard || 0
      sum += minutes
      if (text && !why && minutes !== step.standard) {
        changed += 1
        if (publish) {
          keep(`std_${key}`, text)
          keep(`old_${key}`, step.standard === null ? '' : step.standard)
        }
      }
    }
    total.textContent = words.total.replace('{minutes}', number.format(sum))
    if (publish) publish.hidden = !changed || Boolean(wrong)
  }
  form.addEventListener('input', answer)
  form.querySelector('[data-try-button]').hidden = true
  if ([...form.querySelectorAll('[data-try]')].some((input) => input.value)) answer()
})()
