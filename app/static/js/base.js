/* Behaviour of every page: menu, theme, messages, confirmation, one submit only, unsaved work. */
(() => {
  'use strict'
  const root = document.documentElement
  const all = (selector, scope = document) => [...scope.querySelectorAll(selector)]
  const one = (selector, scope = document) => scope.querySelector(selector)
  window.aduan = {
    text: (name) => document.body.dataset[`t${name[0].toUpperCase()}${name.slice(1)}`] || '',
    csrf: () => one('meta[name="csrf-token"]')?.content || '',
  }

  /* menu on small screens */
  const nav = one('#nav')
  const toggle = one('[data-nav-toggle]')
  const shade = one('.nav-shade')
  if (nav && toggle) {
    toggle.setAttribute('role', 'button')
    toggle.setAttribute('aria-controls', 'nav')
    const show = (open) => {
      nav.classList.toggle('is-open', open)
      toggle.setAttribute('aria-expanded', String(open))
      shade.hidden = !open
      for (const part of all('.topbar, .shell-main')) part.inert = open
      if (open) one('[data-nav-close]', nav).focus()
      else if (document.activeElement === document.body || nav.contains(document.activeElement)) toggle.focus()
    }
    toggle.setAttribute('aria-expanded', 'false')
    toggle.addEventListener('click', (event) => { event.preventDefault(); show(true) })
    toggle.addEventListener('keydown', (event) => {
      if (event.key === ' ') { event.preventDefault(); show(true) }
    })
    for (const closer of all('[data-nav-close]')) closer.addEventListener('click', () => show(false))
    document.addEventListener('keydown', (event) => {
      if (event.key === 'Escape' && nav.classList.contains('is-open')) show(false)
    })
    window.matchMedia('(min-width: 64rem)').addEventListener('change', (wide) => {
      if (wide.matches && nav.classList.contains('is-open')) show(false)
    })
    one('[aria-current]', nav)?.scrollIntoView?.({ block: 'nearest' })
  }

  /* the way between charts scrolls sideways on a phone */
  one('.chart-tabs [aria-current]')?.scrollIntoView?.({ block: 'nearest', inline: 'center' })

  /* light, dark, or as the device: one cookie for a year, read by the server */
  const setTheme = (value) => {
    root.dataset.theme = value
    const secure = location.protocol === 'https:' ? '; Secure' : ''
    document.cookie = `theme=${value}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`
    for (const button of all('[data-theme-value]')) {
      button.setAttribute('aria-pressed', String(button.dataset.themeValue === value))
    }
    document.dispatchEvent(new CustomEvent('aduan:theme', { detail: value }))
  }
  for (const button of all('[data-theme-value]')) {
    button.addEventListener('click', () => setTheme(button.dataset.themeValue))
  }

  /* menus made of <details>: closed by Escape and by a click elsewhere */
  document.addEventListener('click', (event) => {
    for (const menu of all('details[data-menu][open]')) {
      if (!menu.contains(event.target)) menu.open = false
    }
  })
  document.addEventListener('keydown', (event) => {
    const menu = event.key === 'Escape' && document.activeElement?.closest('details[data-menu][open]')
    if (menu) { menu.open = false; one('summary', menu).focus() }
  })

  document.addEventListener('toggle', (event) => {
    const menu = event.target
    if (!menu.matches?.('details[data-menu]') || !menu.open) return
    const list = one('.menu-list', menu)
    if (list.getBoundingClientRect().left < 0) menu.classList.add('menu-left')
    if (list.getBoundingClientRect().right > root.clientWidth) menu.classList.remove('menu-left')
  }, true)

  /* a box that can be scrolled sideways is a stop of the Tab key, only while it can */
  const boxes = all('.table-box[tabindex], .steps[tabindex]')
  if (boxes.length && 'ResizeObserver' in window) {
    const watch = new ResizeObserver((entries) => {
      for (const { target } of entries) {
        if (target.scrollWidth > target.clientWidth) target.tabIndex = 0
        else target.removeAttribute('tabindex')
      }
    })
    for (const box of boxes) watch.observe(box)
  }

  /* panels such as the filters on a phone */
  for (const button of all('[data-toggle-panel]')) {
    const panel = document.getElementById(button.dataset.togglePanel)
    button.setAttribute('aria-controls', panel.id)
    button.addEventListener('click', () => {
      button.setAttribute('aria-expanded', String(panel.classList.toggle('is-open')))
    })
  }

  /* messages */
  for (const button of all('[data-dismiss-flash]')) {
    button.addEventListener('click', () => {
      button.closest('[data-flash]').remove()
      one('#main')?.focus()
    })
  }
  one('[data-error-summary]')?.focus()

  /* a password can be looked at */
  for (const button of all('[data-reveal]')) {
    const input = document.getElementById(button.dataset.reveal)
    const hide = (hidden) => {
      input.type = hidden ? 'password' : 'text'
      button.setAttribute('aria-pressed', String(!hidden))
      one('[data-reveal-text]', button).textContent = hidden ? button.dataset.show : button.dataset.hide
    }
    button.addEventListener('click', () => { hide(input.type === 'text'); input.focus() })
    input.form?.addEventListener('submit', () => hide(true))
  }

  /* copy buttons: <button type="button" data-copy="text" data-copied="Copied"> */
  document.addEventListener('click', async (event) => {
    const button = event.target.closest('[data-copy]')
    if (!button) return
    await navigator.clipboard?.writeText(button.dataset.copy)
    const words = button.textContent
    button.textContent = button.dataset.copied || words
    setTimeout(() => { button.textContent = words }, 2000)
  })

  /* <button data-print> */
  document.addEventListener('click', (event) => {
    if (event.target.closest('[data-print]')) window.print()
  })

  /* confirmation: a button with data-confirm, or a form with it */
  const dialog = one('#confirm-dialog')
  const ask = (source) => new Promise((answer) => {
    const ok = one('[data-dialog-ok]', dialog)
    one('#confirm-text', dialog).textContent = source.dataset.confirm
    ok.textContent = source.dataset.confirmOk || ok.dataset.text
    ok.className = 'confirmDanger' in source.dataset ? 'btn btn-danger' : 'btn btn-primary'
    dialog.returnValue = 'cancel'
    dialog.showModal()
    one('[data-dialog-cancel]', dialog).focus()
    dialog.addEventListener('close', () => answer(dialog.returnValue === 'ok'), { once: true })
  })
  const agreed = new WeakSet()
  const busy = new Set()
  document.addEventListener('submit', async (event) => {
    const form = event.target
    const button = event.submitter
    const source = button?.dataset.confirm ? button : form.dataset.confirm ? form : null
    if (source && dialog?.showModal && !agreed.has(form)) {
      event.preventDefault()
      if (await ask(source)) {
        agreed.add(form)
        form.requestSubmit(button || undefined)
        agreed.delete(form)
      }
      return
    }
    /* pressed twice is sent once; the data of the form is collected before the button is disabled */
    if (form.method !== 'post' || 'noOnce' in form.dataset) return
    if (busy.has(form)) { event.preventDefault(); return }
    setTimeout(() => {
      if (event.defaultPrevented) return
      busy.add(form)
      form.setAttribute('aria-busy', 'true')
      if (button) { button.classList.add('is-busy'); button.disabled = true }
    })
  })
  window.addEventListener('pageshow', (event) => {
    if (!event.persisted) return
    for (const form of busy) {
      form.removeAttribute('aria-busy')
      for (const button of all('.is-busy', form)) { button.classList.remove('is-busy'); button.disabled = false }
    }
    busy.clear()
  })

  /* typed but not saved: data-guard */
  let dirty = false
  for (const form of all('form[data-guard]')) {
    form.addEventListener('input', () => { dirty = true })
    form.addEventListener('submit', (event) => { setTimeout(() => { if (!event.defaultPrevented) dirty = false }) })
  }
  window.addEventListener('beforeunload', (event) => { if (dirty) event.preventDefault() })
})()
