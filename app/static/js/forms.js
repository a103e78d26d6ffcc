/* Fields that help: searchable selects, selects that follow another, checks while typing, files. */
(() => {
  'use strict'
  const { text, csrf } = window.aduan
  const $ = window.jQuery
  const all = (selector, scope = document) => [...scope.querySelectorAll(selector)]
  const LONG_LIST = 12

  /* ---- select2, only where a plain select would be hard to use ---- */
  const language = {
    noResults: () => text('none'),
    searching: () => text('searching'),
    inputTooShort: () => text('short'),
    errorLoading: () => text('failed'),
    loadingMore: () => text('searching'),
    removeAllItems: () => text('clear'),
    removeItem: () => text('remove'),
  }
  const remote = (select) => ({
    url: select.dataset.remoteUrl,
    dataType: 'json',
    delay: 250,
    data: (params) => ({ q: params.term || '', page: params.page || 1, ...parentValue(select) }),
    processResults: (answer) => ({ results: answer.results, pagination: answer.pagination || { more: false } }),
  })
  const master = (select) => {
    const name = select.dataset.dependsOn
    return name && (select.form?.elements[name] || document.getElementById(name))
  }
  const parentValue = (select) => {
    const parent = master(select)
    return parent ? { [select.dataset.dependsOn]: parent.value } : {}
  }
  const enhance = (select) => {
    if (!$?.fn.select2 || $(select).data('select2')) return
    const blank = select.querySelector('option[value=""]')
    $(select).select2({
      theme: 'bootstrap',
      width: '100%',
      language,
      placeholder: select.dataset.placeholder || blank?.textContent || text('choose'),
      allowClear: !select.required && !select.multiple && Boolean(blank || select.dataset.remoteUrl),
      ajax: select.dataset.remoteUrl ? remote(select) : undefined,
      minimumInputLength: Number(select.dataset.minimum || 0),
      dropdownParent: $(select.closest('dialog') || document.getElementById('main') || document.body),
    })
    name(select)
    $(select).on('change.name select2:open', () => setTimeout(() => name(select)))
    /* select2 speaks jQuery only: say it in the browser's own words too */
    $(select).on('select2:select select2:unselect select2:clear', () => {
      select.dispatchEvent(new Event('input', { bubbles: true }))
      select.dispatchEvent(new CustomEvent('change', { bubbles: true, detail: 'select2' }))
    })
    /* jQuery 3.6 loses the focus that select2 4.0 gives its search box */
    $(select).on('select2:open', () => setTimeout(() => document.querySelector('.select2-container--open .select2-search--dropdown .select2-search__field')?.focus()))
    if (select.autofocus) $(select).select2('focus')
  }
  /* select2 4.0 names its parts badly for screen readers */
  const name = (select) => {
    const box = select.nextElementSibling
    const label = select.labels?.[0]
    if (!box || !label) return
    if (!label.id) label.id = `${select.id}-label`
    const combo = box.querySelector('[role="combobox"]')
    const shown = box.querySelector('.select2-selection__rendered')
    combo?.setAttribute('aria-labelledby', [label.id, shown?.id].filter(Boolean).join(' '))
    for (const key of ['aria-describedby', 'aria-invalid']) {
      const said = select.getAttribute(key)
      if (said) combo?.setAttribute(key, said)
    }
    if (shown?.getAttribute('role') === 'textbox') { shown.removeAttribute('role'); shown.removeAttribute('aria-readonly') }
    for (const input of all('.select2-search__field', box)) input.setAttribute('aria-label', label.textContent.trim())
    for (const input of all('.select2-container--open .select2-search__field')) {
      if (!input.getAttribute('aria-label')) input.setAttribute('aria-label', label.textContent.trim())
    }
    for (const list of all('.select2-container--open .select2-results__options')) {
      combo?.setAttribute('aria-controls', list.id)
      list.setAttribute('aria-label', label.textContent.trim())
    }
  }
  for (const select of all('select[data-remote-url], select[data-searchable], select.my_select2')) {
    const wanted = select.dataset.remoteUrl || 'searchable' in select.dataset || select.multiple
    if (wanted || select.options.length > LONG_LIST) enhance(select)
  }

  /* ---- a select that follows another ---- */
  for (const select of all('select[data-depends-on]')) {
    const parent = master(select)
    if (!parent || select.dataset.remoteUrl) {
      parent?.addEventListener('change', () => { if ($) $(select).val(null).trigger('change') })
      continue
    }
    const options = [...select.options].map((option) => option.cloneNode(true))
    const fill = (list) => {
      const kept = select.value
      select.replaceChildren(...list)
      select.value = list.some((option) => option.value === kept) ? kept : ''
      select.disabled = !parent.value
      if (select.value !== kept) select.dispatchEvent(new Event('change', { bubbles: true }))
      if ($?.(select).data('select2')) $(select).trigger('change.select2')
    }
    const follow = async () => {
      const blank = options.filter((option) => !option.value).map((option) => option.cloneNode(true))
      if (!select.dataset.optionsUrl) {
        fill(options.filter((option) => !option.value || option.dataset.parent === parent.value).map((o) => o.cloneNode(true)))
        return
      }
      if (!parent.value) { fill(blank); return }
      const asked = parent.value
      const url = new URL(select.dataset.optionsUrl, location.href)
      url.searchParams.set(select.dataset.dependsOn, asked)
      try {
        const answer = await fetch(url, { headers: { Accept: 'application/json' }, credentials: 'same-origin' })
        if (!answer.ok) throw new Error(answer.status)
        const { results } = await answer.json()
        if (parent.value === asked) fill([...blank, ...results.map((row) => new Option(row.text, row.id))])
      } catch {
        fill([new Option(text('failed'), '')])
      }
    }
    parent.addEventListener('change', follow)
    if (!select.dataset.optionsUrl || !parent.value || select.options.length <= 1) follow()
  }

  /* ---- checks while typing; the value goes in the body, never into an address that is logged ---- */
  for (const input of all('[data-check-url]')) {
    const list = document.getElementById(`${input.id}-findings`)
    if (!list) continue
    let timer = 0
    let asked = 0
    const others = (input.dataset.checkWith || '').split(/[\s,]+/).filter(Boolean)
    const check = async () => {
      const turn = (asked += 1)
      if (!input.value.trim()) { list.replaceChildren(); return }
      const body = new FormData()
      body.set('value', input.value)
      body.set('field', input.name)
      for (const other of others) body.set(other, input.form?.elements[other]?.value ?? '')
      try {
        const answer = await fetch(input.dataset.checkUrl, {
          method: 'POST', body, credentials: 'same-origin', headers: { Accept: 'application/json', 'X-CSRFToken': csrf() },
        })
        if (!answer.ok || turn !== asked) return
        const { findings } = await answer.json()
        list.replaceChildren(...(findings || []).map((finding) => {
          const item = document.createElement('li')
          item.className = `finding finding-${finding.level}`
          item.textContent = finding.message
          if (finding.url) {
            const link = document.createElement('a')
            link.href = finding.url
            link.target = '_blank'
            link.rel = 'noopener'
            link.textContent = finding.link || finding.url
            item.append(' ', link)
          }
          return item
        }))
      } catch { /* the server checks again when the form is sent */ }
    }
    const soon = () => { clearTimeout(timer); timer = setTimeout(check, 350) }
    input.addEventListener('input', soon)
    for (const other of others) {
      const field = input.form?.elements[other]
      if (field?.addEventListener) field.addEventListener('change', soon)
    }
    if (input.value) soon()
  }

  /* ---- the drop zone ---- */
  const size = (bytes) => bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 1, minimumFractionDigits: 1 }).format(bytes / 1e6)} MB`
  for (const zone of all('[data-dropzone]')) {
    const { uploadUrl, maxMb, accept } = zone.dataset
    const several = 'multiple' in zone.dataset
    const inputs = all('input[type="file"]', zone)
    const staged = zone.querySelector('[data-staged]')
    const template = zone.querySelector('[data-staged-template]')
    const refuse = (file) => {
      if (file.size > Number(maxMb) * 1024 * 1024) return zone.dataset.tTooLarge
      if (file.type && accept && !accept.split(',').includes(file.type)) return zone.dataset.tKind
      return ''
    }
    const row = (file) => {
      const item = template.content.firstElementChild.cloneNode(true)
      item.querySelector('.staged-name').textContent = file.name
      item.querySelector('.staged-state').textContent = size(file.size)
      for (const words of all('.sr-only', item)) words.textContent += file.name
      if (!several) staged.replaceChildren()
      staged.append(item)
      return item
    }
    const fail = (item, words) => {
      item.classList.add('is-failed')
      item.querySelector('.staged-state').textContent = words
      for (const field of all('input[type="hidden"], label, progress', item)) field.remove()
    }
    /* drawn from the file at hand: that spares the line, and nothing is still to come when the form
       is sent and takes the upload away; what this browser cannot read (HEIC) comes from the server */
    const draw = (file, item, address) => {
      const image = new Image()
      const own = URL.createObjectURL(file)
      image.className = 'staged-thumb'
      image.alt = ''
      image.addEventListener('load', () => URL.revokeObjectURL(own), { once: true })
      image.addEventListener('error', () => { URL.revokeObjectURL(own); image.src = address }, { once: true })
      image.src = own
      item.querySelector('.staged-thumb').replaceWith(image)
    }
    const send = (file, item) => new Promise((done) => {
      const body = new FormData()
      body.set('file', file, file.name)
      for (const [key, value] of Object.entries(JSON.parse(zone.dataset.extra || '{}'))) body.set(key, value)
      const progress = document.createElement('progress')
      progress.max = 1
      progress.value = 0
      progress.setAttribute('aria-label', zone.dataset.tSending)
      item.querySelector('.staged-words').append(progress)
      const request = new XMLHttpRequest()
      request.open('POST', uploadUrl)
      request.responseType = 'json'
      request.setRequestHeader('X-CSRFToken', csrf())
      request.setRequestHeader('Accept', 'application/json')
      request.upload.addEventListener('progress', (event) => { if (event.lengthComputable) progress.value = event.loaded / event.total })
      request.addEventListener('loadend', () => {
        progress.remove()
        const answer = request.response || {}
        if (request.status >= 200 && request.status < 300 && answer.token) {
          item.querySelector('input[type="hidden"]').value = answer.token
          if (answer.thumb_url) draw(file, item, answer.thumb_url)
          zone.dispatchEvent(new CustomEvent('aduan:staged', { bubbles: true, detail: answer }))
        } else fail(item, answer.message || zone.dataset.tFailed)
        done()
      })
      request.send(body)
    })
    let chosen = []
    let pending = 0
    zone.closest('form')?.addEventListener('submit', (event) => {
      /* what is still on its way belongs to the form: send the form when it has arrived */
      if (!pending) return
      event.preventDefault()
      event.stopPropagation()
      const { target, submitter } = event
      zone.addEventListener('aduan:settled', () => target.requestSubmit(submitter || undefined), { once: true })
    })
    const keep = () => {
      /* without an upload address the files travel with the form, all in the first input */
      const data = new DataTransfer()
      for (const file of chosen) data.items.add(file)
      inputs[0].files = data.files
      for (const input of inputs.slice(1)) input.value = ''
    }
    const take = async (files) => {
      const list = several ? [...files] : [...files].slice(0, 1)
      pending += 1
      if (!list.length) { pending -= 1; return }
      if (!several) chosen = []
      for (const file of list) {
        const item = row(file)
        const words = refuse(file)
        if (words) { fail(item, words); continue }
        if (uploadUrl) await send(file, item)
        else {
          chosen.push(file)
          item.file = file
          for (const field of all('input[type="hidden"]', item)) field.remove()
        }
      }
      pending -= 1
      if (!uploadUrl) { keep(); return }
      for (const input of inputs) input.value = ''
      if (!pending) zone.dispatchEvent(new CustomEvent('aduan:settled'))
    }
    for (const input of inputs) input.addEventListener('change', () => take(input.files))
    staged.addEventListener('click', (event) => {
      const button = event.target.closest('[data-staged-remove]')
      if (!button) return
      const item = button.closest('[data-staged-file]')
      const token = item.querySelector('input[type="hidden"]')?.value
      if (item.file) { chosen = chosen.filter((file) => file !== item.file); keep() }
      item.remove()
      inputs[0].focus()
      zone.dispatchEvent(new CustomEvent('aduan:unstaged', { bubbles: true, detail: { token } }))
    })
    for (const kind of ['dragenter', 'dragover']) {
      zone.addEventListener(kind, (event) => { event.preventDefault(); zone.classList.add('is-over') })
    }
    for (const kind of ['dragleave', 'drop']) zone.addEventListener(kind, () => zone.classList.remove('is-over'))
    zone.addEventListener('drop', (event) => { event.preventDefault(); take(event.dataTransfer.files) })
  }
  /* a file dropped beside the zone must not replace the page */
  if (document.querySelector('[data-dropzone]')) {
    for (const kind of ['dragover', 'drop']) window.addEventListener(kind, (event) => event.preventDefault())
  }
})()
