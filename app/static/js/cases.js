/* Registering a complaint: what follows channel and category, checks while typing, files. */
(() => {
  'use strict'
  const form = document.querySelector('form[data-intake]')
  if (!form) return
  const { csrf } = window.aduan
  const all = (selector, scope = form) => [...scope.querySelectorAll(selector)]
  const one = (selector, scope = form) => scope.querySelector(selector)
  const data = JSON.parse(one('[data-intake-data]').textContent)
  const field = (name) => form.elements[name]
  const show = (node, visible) => { if (node) node.hidden = !visible }

  /* ---- 1: the channel decides the handle's name and the time of receipt ---- */
  const messages = one('[data-message-fields]')
  const words = one('[data-in-person-words]')
  const handleLabel = one('[data-handle-label]')
  const followChannel = () => {
    const chosen = one('input[name="channel"]:checked')
    const inPerson = Boolean(chosen && 'inPerson' in chosen.dataset)
    handleLabel.textContent = chosen?.dataset.handle || handleLabel.dataset.plain
    if (!words) return
    /* at the counter there is nothing to fill in here: the fields keep what they hold, unsent */
    show(messages, Boolean(chosen) && !inPerson)
    show(words, inPerson)
    for (const input of all('input', messages)) input.disabled = inPerson
    show(one('#received_at-hint'), false)
  }
  for (const radio of all('input[name="channel"]')) radio.addEventListener('change', followChannel)
  followChannel()
  /* a number or address that wrote to us is usually the way back */
  field('handle').addEventListener('change', () => {
    const text = field('handle').value.trim()
    if (/^\+?[\d][\d .-]{8,17}$/.test(text) && !field('phone').value) put('phone', text)
    if (/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(text) && !field('email').value) put('email', text)
  })
  const put = (name, text) => {
    field(name).value = text
    field(name).dispatchEvent(new Event('input', { bubbles: true }))
  }

  /* ---- 2: one question about all numbers, a moment after the last key ---- */
  const asked = ['applicant_name', 'nik', 'kk_number', 'phone', 'email', 'birth_date', 'sex', 'kecamatan', 'region']
  const box = one('[data-duplicates-box]')
  let timer = 0
  let turn = 0
  const tell = (name, findings) => {
    const list = one(`[data-findings="${name}"]`)
    if (!list) return
    /* a number still being typed is not scolded for its length */
    const typing = document.activeElement === field(name) && field(name).value.trim().length < 16
    const told = findings.filter((finding) => !(typing && finding.level === 'error'))
    list.replaceChildren(...told.map((finding) => {
      const item = document.createElement('li')
      item.className = `finding finding-${finding.level}`
      item.textContent = finding.message
      return item
    }))
  }
  const check = async () => {
    const mine = (turn += 1)
    const body = { id: form.dataset.case || '' }
    for (const name of asked) body[name] = field(name)?.value || ''
    try {
      const answer = await fetch(form.dataset.identityUrl, {
        method: 'POST',
        credentials: 'same-origin',
        headers: { Accept: 'application/json', 'Content-Type': 'application/json', 'X-CSRFToken': csrf() },
        body: JSON.stringify(body),
      })
      if (!answer.ok || mine !== turn) return
      const found = await answer.json()
      for (const name of asked) if (found[name]) tell(name, found[name])
      show(box, found.duplicates.length > 0)
      one('[data-duplicates-list]').replaceChildren(...found.duplicates.map((other) => {
        const item = document.createElement('li')
        const link = document.createElement(other.url ? 'a' : 'span')
        if (other.url) { link.href = other.url; link.target = '_blank'; link.rel = 'noopener' }
        link.textContent = other.number
        item.append(link, ` · ${other.step} · ${other.received}`)
        return item
      }))
    } catch { /* the server looks again when the form is sent */ }
  }
  const soon = () => { clearTimeout(timer); timer = setTimeout(check, 400) }
  for (const name of asked) {
    field(name)?.addEventListener('input', soon)
    field(name)?.addEventListener('change', soon)
  }

  /* ---- 3: the text says how long it is once that matters ---- */
  const text = field('text')
  const count = one('[data-count]')
  const longest = Number(text.dataset.longest)
  const measure = () => {
    const length = [...text.value].length
    count.textContent = length > longest * 0.8 ? `${length.toLocaleString(document.documentElement.lang)} / ${longest.toLocaleString(document.documentElement.lang)}` : ''
    count.classList.toggle('text-late', length > longest)
  }
  text.addEventListener('input', measure)
  measure()

  /* ---- 3 and 4: what the category asks for ---- */
  const category = field('category')
  const papers = one('[data-papers]')
  const template = one('[data-paper-template]')
  const model = one('[data-staged-template]')?.content.querySelector('select')
  const kinds = model ? [...model.options].slice(1).map((option) => [option.value, option.textContent]) : []
  const kept = new Map()
  const remember = () => {
    for (const row of all('[data-paper]', papers || form)) {
      kept.set(row.dataset.paper, {
        state: one('input[type="radio"]:checked', row)?.value || '',
        note: one('.paper-note input', row)?.value || '',
      })
    }
  }
  const build = (item) => {
    const row = template.content.firstElementChild.cloneNode(true)
    for (const node of [row, ...all('*', row)]) {
      for (const name of ['id', 'name', 'for', 'data-paper', 'aria-labelledby']) {
        const value = node.getAttribute(name)
        if (value?.includes('__ID__')) node.setAttribute(name, value.replaceAll('__ID__', item.id))
      }
    }
    for (const label of all('[data-paper-label]', row)) label.textContent = item.label
    const need = one('[data-paper-need]', row)
    need.textContent = item.required ? data.required : data.optional
    need.classList.toggle('badge-accent', item.required)
    const before = kept.get(item.id)
    if (before?.state) one(`input[value="${before.state}"]`, row).checked = true
    if (before?.note) {
      one('.paper-note input', row).value = before.note
      one('.paper-note', row).classList.add('is-filled')
    }
    return row
  }
  const wanted = () => data.categories[category.value]?.requirements || []
  const countPapers = () => {
    const line = one('[data-papers-count]')
    if (!line) return
    const required = wanted().filter((item) => item.required)
    const there = required.filter((item) => one(`input[name="check_${item.id}"][value="present"]`)?.checked)
    line.textContent = required.length
      ? line.dataset.words.replace('{there}', there.length).replace('{all}', required.length)
      : line.dataset.none
    line.classList.toggle('text-ok', there.length === required.length)
    show(one('[data-papers-all]'), there.length < required.length)
  }
  const followCategory = (rebuild) => {
    const chosen = data.categories[category.value]
    const first = one('[data-first-ktp]')
    show(first, !chosen || chosen.firstKtp || !papers)
    one('input', first).disabled = first.hidden
    show(one('[data-oversight-words]'), Boolean(chosen?.oversight))
    if (!papers) return
    if (rebuild) {
      remember()
      papers.replaceChildren(...wanted().map(build))
    }
    show(one('[data-papers-none]'), !chosen)
    show(one('[data-papers-head]'), wanted().length > 0)
    for (const select of [model, ...all('select[name="upload_kind[]"]')]) if (select) sortKinds(select)
    countPapers()
  }
  /* what a file may be: the category's papers first, then every other */
  const group = (label, kinds) => {
    const node = document.createElement('optgroup')
    node.label = label
    node.append(...kinds.map(([id, words]) => new Option(words, id)))
    return node
  }
  const sortKinds = (select) => {
    const { value, options } = select
    const own = wanted().map((item) => [item.id, item.label])
    const others = kinds.filter(([id]) => !own.some(([mine]) => mine === id))
    select.replaceChildren(options[0], ...(own.length ? [group(data.own, own)] : []), group(data.others, others))
    select.value = value
  }
  category.addEventListener('change', () => followCategory(true))
  papers?.addEventListener('change', countPapers)
  followCategory(false)
  one('[data-papers-all]')?.addEventListener('click', () => {
    for (const item of wanted()) {
      const tick = item.required && one(`input[name="check_${item.id}"][value="present"]`)
      if (tick) tick.checked = true
    }
    countPapers()
    form.dispatchEvent(new Event('input', { bubbles: true }))
    one('[data-papers] input[type="radio"]')?.focus()
  })

  /* ---- 4: files ---- */
  const zone = one('[data-dropzone]')
  if (zone) {
    const address = zone.dataset.uploadUrl
    const preview = document.querySelector('[data-preview]')
    let nextKind = ''
    const rowOf = (token) => all('[data-staged-file]', zone).find((row) => one('input[type="hidden"]', row)?.value === token)
    const thereIs = (kind) => {
      /* a file for a paper nobody has judged yet: it is there; the officer may say otherwise */
      if (!kind || one(`input[name="check_${kind}"]:checked`)) return
      const tick = one(`input[name="check_${kind}"][value="present"]`)
      if (tick) { tick.checked = true; countPapers() }
    }
    const openable = (row) => {
      const token = one('input[type="hidden"]', row)?.value
      const name = one('.staged-name', row)
      if (!token || one('a', name)) return
      const link = document.createElement('a')
      link.href = address + token
      link.target = '_blank'
      link.rel = 'noopener'
      link.textContent = name.textContent
      name.replaceChildren(link)
    }
    for (const row of all('[data-staged-file]', zone)) openable(row)
    zone.addEventListener('aduan:staged', (event) => {
      const row = rowOf(event.detail.token)
      if (!row) return
      openable(row)
      const select = one('select', row)
      if (nextKind && select) select.value = nextKind
      if (nextKind) thereIs(nextKind)
    })
    zone.addEventListener('aduan:settled', () => { nextKind = '' })
    zone.addEventListener('change', (event) => {
      if (event.target.matches('select')) thereIs(event.target.value)
    })
    papers.addEventListener('click', (event) => {
      const button = event.target.closest('[data-paper-attach]')
      if (!button) return
      nextKind = button.closest('[data-paper]').dataset.paper
      one('input[type="file"]', zone).click()
    })
    for (const label of all('label.btn', zone)) label.addEventListener('click', () => { nextKind = '' })
    for (const input of all('input[type="file"]', zone)) input.addEventListener('cancel', () => { nextKind = '' })
    /* taken back: gone from the server as well */
    zone.addEventListener('aduan:unstaged', (event) => {
      const { token } = event.detail
      if (!token) return
      fetch(`${address}${token}/delete`, {
        method: 'POST', credentials: 'same-origin', headers: { 'X-CSRFToken': csrf() },
      }).catch(() => { /* it is cleared away later in any event */ })
    })
    /* a picture opens over the page; a PDF has a viewer of its own */
    zone.addEventListener('click', (event) => {
      const row = event.target.closest('[data-staged-file]')
      const picture = row && one('img.staged-thumb', row)
      const link = row && one('.staged-name a', row)
      if (!picture || !link || !preview?.showModal) return
      if (!event.target.closest('.staged-name a') && event.target !== picture) return
      event.preventDefault()
      const image = new Image()
      image.src = link.href
      image.alt = link.textContent
      one('[data-preview-name]', preview).textContent = link.textContent
      one('[data-preview-body]', preview).replaceChildren(image)
      preview.showModal()
    })
    preview?.addEventListener('click', (event) => { if (event.target === preview) preview.close() })
  }

  /* ---- keys: Enter to the next field, Ctrl+Enter saves ---- */
  form.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter') return
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault()
      form.requestSubmit(one('[data-save]'))
      return
    }
    if (!event.target.matches('input:not([type="file"]), select')) return
    event.preventDefault()
    const stops = all('input:not([type="hidden"]), select, textarea, button').filter((node) => (
      !node.disabled && node.offsetParent !== null && node.tabIndex >= 0
    ))
    const here = event.target
    const next = stops.slice(stops.indexOf(here) + 1).find((node) => (
      !(node.type === 'radio' && (node.name === here.name || (one(`input[name="${node.name}"]:checked`) && !node.checked)))
    ))
    next?.focus()
  })
})()
