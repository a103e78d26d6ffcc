/* The search box of the top bar: asks while one types, and is worked by the keyboard alone.
   The words go in the body of a request, never into an address. */
(() => {
  'use strict'
  const form = document.querySelector('[data-find]')
  if (!form) return
  const input = form.querySelector('#find')
  const panel = form.querySelector('[data-find-panel]')
  const hint = form.querySelector('[data-find-hint]')
  const status = form.querySelector('[data-find-status]')
  const opener = document.querySelector('[data-find-open]')
  const narrow = window.matchMedia('(max-width: 47.99rem)')
  const PAUSE = 150
  let timer = 0
  let running = null
  let shown = ''
  let active = null

  const words = () => input.value.replace(/\s+/g, ' ').trim()
  const options = () => [...panel.querySelectorAll('[role="option"]')]

  /* --- what is open --- */
  const expand = (open) => {
    panel.hidden = !open
    input.setAttribute('aria-expanded', String(open && options().length > 0))
    if (!open) choose(null)
  }
  const showHint = () => { hint.hidden = words() !== '' || !form.contains(document.activeElement) }
  const choose = (option) => {
    active?.setAttribute('aria-selected', 'false')
    active = option
    if (!option) { input.removeAttribute('aria-activedescendant'); return }
    option.setAttribute('aria-selected', 'true')
    input.setAttribute('aria-activedescendant', option.id)
    option.scrollIntoView({ block: 'nearest' })
  }
  const clear = () => {
    running?.abort()
    clearTimeout(timer)
    form.removeAttribute('aria-busy')
    shown = ''
    status.textContent = ''
    expand(false)
    panel.replaceChildren()
  }

  /* --- as a sheet on a narrow screen --- */
  const rest = () => document.querySelectorAll('.sidebar, .shell-main, .skip-link, .topbar > :not([data-find])')
  const sheet = (open) => {
    form.classList.toggle('is-open', open)
    document.documentElement.classList.toggle('has-sheet', open)
    for (const part of rest()) part.inert = open
    if (open) input.focus()
    else { clear(); hint.hidden = true; opener.focus() }
  }
  const isSheet = () => form.classList.contains('is-open')
  opener.setAttribute('role', 'button')
  opener.addEventListener('click', (event) => { event.preventDefault(); sheet(true) })
  opener.addEventListener('keydown', (event) => {
    if (event.key === ' ') { event.preventDefault(); sheet(true) }
  })
  form.querySelector('[data-find-close]').addEventListener('click', () => sheet(false))
  narrow.addEventListener('change', () => { if (!narrow.matches && isSheet()) sheet(false) })

  /* --- asking --- */
  const say = (text) => { status.textContent = text }
  const trouble = (name) => {
    const note = document.createElement('div')
    note.className = 'find-note find-trouble'
    const text = document.createElement('p')
    text.textContent = form.dataset[`t${name}`]
    note.append(text)
    if (name === 'Stale') {
      const link = document.createElement('a')
      link.href = location.pathname + location.search
      link.textContent = form.dataset.tLogin
      note.append(link)
    }
    panel.replaceChildren(note)
    shown = ''
    expand(true)
    say(text.textContent)
  }
  const ask = async () => {
    const asked = words()
    running?.abort()
    if (!asked) { clear(); showHint(); return }
    if (asked === shown) { expand(true); return }
    running = new AbortController()
    const mine = running
    form.setAttribute('aria-busy', 'true')
    try {
      const answer = await fetch(form.dataset.url, {
        method: 'POST',
        body: new URLSearchParams({ q: asked }),
        headers: { 'X-CSRFToken': window.aduan.csrf(), Accept: 'text/html' },
        redirect: 'manual',
        signal: mine.signal,
      })
      if (answer.type === 'opaqueredirect' || answer.status === 400) trouble('Stale')
      else if (answer.status === 403) trouble('Refused')
      else if (answer.status === 429) trouble('Many')
      else if (!answer.ok) trouble('Failed')
      else {
        const html = await answer.text()
        if (mine.signal.aborted) return
        panel.innerHTML = html
        shown = asked
        active = null
        choose(null)
        expand(form.contains(document.activeElement))
        say(panel.querySelector('[data-say]')?.dataset.say || '')
      }
    } catch (error) {
      if (error.name === 'AbortError') return
      trouble('Offline')
    } finally {
      if (running === mine) form.removeAttribute('aria-busy')
    }
  }

  /* --- typing and keys --- */
  input.addEventListener('input', () => {
    showHint()
    clearTimeout(timer)
    timer = setTimeout(ask, words() ? PAUSE : 0)
  })
  input.addEventListener('focus', () => {
    showHint()
    if (words() && panel.childElementCount) expand(true)
  })
  input.addEventListener('keydown', (event) => {
    const all = options()
    const at = all.indexOf(active)
    const step = { ArrowDown: at + 1, ArrowUp: at < 0 ? all.length - 1 : at - 1 }[event.key]
    if (step !== undefined) {
      event.preventDefault()
      if (panel.hidden) { ask(); return }
      choose(all[step] || null)
    } else if (event.key === 'Enter') {
      if (active) { event.preventDefault(); active.click() }
    } else if (event.key === 'Escape') {
      event.preventDefault()
      if (!panel.hidden) expand(false)
      else if (input.value) { input.value = ''; clear(); showHint() }
      else if (isSheet()) sheet(false)
      else input.blur()
    }
  })
  panel.addEventListener('mousemove', (event) => {
    const option = event.target.closest('[role="option"]')
    if (option && option !== active) choose(option)
  })
  form.addEventListener('submit', (event) => { if (!words()) { event.preventDefault(); input.focus() } })
  form.addEventListener('focusout', (event) => {
    if (event.relatedTarget && form.contains(event.relatedTarget)) return
    if (isSheet()) return
    setTimeout(() => {
      if (form.contains(document.activeElement)) return
      hint.hidden = true
      expand(false)
    })
  })
  /* a click on a hit must not take the focus first: the panel would be gone */
  panel.addEventListener('mousedown', (event) => event.preventDefault())

  /* "/" or Ctrl+K from anywhere but a field (Ctrl+K from there too) */
  document.addEventListener('keydown', (event) => {
    const control = (event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === 'k'
    const slash = event.key === '/' && !event.ctrlKey && !event.metaKey && !event.altKey &&
      !event.target.closest('input, textarea, select, [contenteditable]')
    if (!control && !slash) return
    if (document.querySelector('dialog[open]')) return
    event.preventDefault()
    if (narrow.matches) sheet(true)
    else { input.focus(); input.select() }
  })
  /* what was typed does not stay behind in a page that is kept for the way back */
  window.addEventListener('pagehide', () => { input.value = ''; clear(); hint.hidden = true })
})()
