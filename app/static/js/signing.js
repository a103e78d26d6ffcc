/* The signing desk: choose, one passphrase, one document a request, a result beside each.
   The passphrase lives in the variable of one run and in nothing else; the field is emptied at once. */
(() => {
  'use strict'
  const { csrf } = window.aduan
  const one = (selector, scope = document) => scope.querySelector(selector)
  const all = (selector, scope = document) => [...scope.querySelectorAll(selector)]
  let running = false

  const send = (url, data, accept) => fetch(url, {
    method: 'POST', credentials: 'same-origin', body: new URLSearchParams(data),
    headers: { Accept: accept, 'X-CSRFToken': csrf() },
  })

  /* leaving in the middle of a batch is asked about; what is signed stays signed */
  window.addEventListener('beforeunload', (event) => { if (running) event.preventDefault() })

  /* ---- what waits: choosing ---- */
  const desk = () => {
    const form = one('[data-sign-start]')
    if (!form) return
    const boxes = all('[data-sign-one]')
    const every = one('[data-sign-all]')
    /* what he checked himself is signed by a tick of its own, never along with the rest */
    const easy = boxes.filter((box) => !('signOwn' in box.dataset))
    const words = one('[data-sign-chosen]')
    const follow = () => {
      const stop = one('[data-sign-bar] [data-stop]')
      if (stop) stop.hidden = true
      const chosen = boxes.filter((box) => box.checked).length
      if (every) {
        every.checked = easy.length > 0 && easy.every((box) => box.checked)
        every.indeterminate = chosen > 0 && !every.checked
      }
      if (words) words.textContent = chosen ? words.dataset.t.replace('{num}', chosen) : ''
      for (const box of boxes) box.closest('.sign-card').classList.toggle('is-chosen', box.checked)
    }
    every?.addEventListener('change', () => {
      for (const box of easy) box.checked = every.checked
      follow()
    })
    for (const box of boxes) box.addEventListener('change', follow)
    follow()
    /* what refused the last start, kept over the loading of the page as it is now */
    const said = sessionStorage.getItem('signing-said')
    sessionStorage.removeItem('signing-said')
    if (said) say(said)
    form.addEventListener('submit', async (event) => {
      const none = !boxes.some((box) => box.checked)
      if (none) {
        event.preventDefault()
        say(form.dataset.tNone)
        ;(every || boxes[0])?.focus()
        return
      }
      const field = one('#passphrase')
      if (!field) return
      event.preventDefault()
      if (running) return
      const data = new FormData(form)
      data.delete('passphrase')
      const passphrase = field.value
      field.value = ''
      lock(true)
      let answer = null
      let text = ''
      try {
        answer = await send(form.action, data, 'text/html')
        text = await answer.text()
      } catch { /* said below */ }
      /* asked who it is: the form goes there as a form, without the passphrase */
      if (answer?.status === 401) { running = false; form.submit(); return }
      if (!answer?.ok || !(await swap(text, answer.url))) {
        lock(false)
        /* the refusal came with an answer that nobody sees: it is said on the page as it is now */
        const words = all('.flashes .notice-body', new DOMParser().parseFromString(text, 'text/html'))
        sessionStorage.setItem('signing-said', words.map((node) => node.textContent.trim()).join(' ') || form.dataset.tAway)
        location.assign(answer?.redirected ? answer.url : location.href)
        return
      }
      await run(passphrase)
    })
  }

  /* one sentence beside the button, or above the page where there is no button any more */
  const say = (words) => {
    let stop = one('[data-stop]')
    if (!stop) {
      stop = document.createElement('div')
      stop.className = 'notice notice-late'
      one('.sign-cases')?.before(stop)
      stop.append(Object.assign(document.createElement('div'), { className: 'notice-body' }))
    }
    (one('[data-stop-words]', stop) || stop.firstElementChild).textContent = words
    stop.hidden = false
    stop.setAttribute('role', 'alert')
  }

  const lock = (busy) => {
    running = busy
    for (const button of all('.signing button[type="submit"]')) button.disabled = busy
  }

  /* the page of the batch takes the place of this one */
  const swap = async (text, url) => {
    const page = new DOMParser().parseFromString(text, 'text/html')
    const fresh = one('[data-signing-batch]', page)
    const old = one('.signing')
    if (!fresh || !old) return false
    old.replaceWith(document.importNode(fresh, true))
    history.replaceState(null, '', url)
    window.scrollTo(0, 0)
    batch()
    return true
  }

  /* ---- a batch: one document a request ---- */
  const batch = () => {
    const form = one('[data-sign-go]')
    if (!form) return
    form.addEventListener('submit', (event) => {
      const field = one('#passphrase', form)
      if (!field) return
      event.preventDefault()
      if (running) return
      const passphrase = field.value
      field.value = ''
      run(passphrase)
    })
  }

  const run = async (passphrase) => {
    const page = one('[data-signing-batch]')
    if (!page) return
    const form = one('[data-sign-go]', page)
    const stop = one('[data-stop]', page)
    const count = one('[data-count]', page)
    const bar = one('[data-bar]', page)
    lock(true)
    if (form) form.hidden = true
    if (stop) stop.hidden = true
    page.setAttribute('aria-busy', 'true')
    mark(page)
    let message = ''
    for (;;) {
      let found = null
      try {
        const answer = await send(page.dataset.next, { passphrase }, 'application/json')
        found = await answer.json()
        if (answer.status === 401 && found.url) { running = false; location.assign(`${found.url}?next=${encodeURIComponent(page.dataset.here)}`); return }
        if (!answer.ok) { message = found.message || page.dataset.tAway; break }
      } catch { message = page.dataset.tAway; break }
      if (found.row) {
        const holder = document.createElement('ol')
        holder.innerHTML = found.row
        one(`[data-line="${found.id}"]`, page)?.replaceWith(holder.firstElementChild)
      }
      count.textContent = page.dataset.tLeft.replace('{done}', found.done).replace('{total}', found.total)
      if (bar) bar.className = `share-bar w-${found.total ? Math.floor((100 * found.done) / found.total) : 100}`
      if (found.message) { message = found.message; break }
      if (!found.left || found.id === null) break
      mark(page)
    }
    page.removeAttribute('aria-busy')
    running = false
    if (!message) {
      /* the results, as they are kept */
      const answer = await fetch(page.dataset.here, { credentials: 'same-origin' }).catch(() => null)
      if (answer?.ok && await swap(await answer.text(), page.dataset.here)) {
        const head = one('[data-finished] .notice')
        if (head) { head.tabIndex = -1; head.focus({ preventScroll: true }) }
        return
      }
      location.reload()
      return
    }
    lock(false)
    for (const line of all('.is-next', page)) line.classList.remove('is-next')
    if (form) form.hidden = false
    if (stop) {
      one('[data-stop-words]', stop).textContent = message
      stop.hidden = false
      stop.setAttribute('role', 'alert')
    }
    one('#passphrase', page)?.focus()
  }

  /* which one is being signed now */
  const mark = (page) => {
    for (const line of all('.is-next', page)) line.classList.remove('is-next')
    one('.sign-waiting', page)?.classList.add('is-next')
  }

  desk()
  batch()
})()
