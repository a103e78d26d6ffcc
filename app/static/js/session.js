/* The end of a session: a warning in time, and a way back that keeps what was typed. */
(() => {
  'use strict'
  const { dataset } = document.body
  const dialog = document.querySelector('#session-dialog')
  if (!dataset.left || !dialog?.showModal) return
  const one = (selector) => dialog.querySelector(selector)
  const WARN = 120
  const idle = Number(dataset.idle)
  let ends = Date.now() + Number(dataset.left) * 1000
  let timer = 0
  let kind = ''

  const left = () => Math.round((ends - Date.now()) / 1000)
  const later = () => {
    clearTimeout(timer)
    /* a laptop that slept wakes up late: look at least every minute */
    timer = setTimeout(look, Math.max(1000, Math.min((left() - WARN) * 1000, 60_000)))
  }

  const take = (found) => {
    ends = Date.now() + found.left * 1000
    if (String(found.who) !== dataset.who) { show('other'); return false }
    /* the token of a new sign-in goes into the forms that are still open */
    for (const input of document.querySelectorAll('input[name="csrf_token"]')) input.value = found.token
    const meta = document.querySelector('meta[name="csrf-token"]')
    if (meta) meta.content = found.token
    return true
  }

  const ask = async (url, method) => {
    const answer = await fetch(url, { method, credentials: 'same-origin', headers: { Accept: 'application/json', 'X-CSRFToken': window.aduan.csrf() } })
    if (answer.status === 401 || answer.status === 400) return null
    return answer.ok ? answer.json() : undefined
  }

  /* another window may have been used meanwhile: the server knows */
  const look = async () => {
    if (left() > WARN) { later(); return }
    let found
    try { found = await ask(dialog.dataset.state, 'GET') } catch { later(); return }
    if (found === undefined) { later(); return }
    if (found === null) { show('over'); return }
    if (!take(found)) return
    if (left() > WARN) { hide(); later(); return }
    show(found.left < idle && found.last ? 'last' : 'soon')
    timer = setTimeout(look, Math.min(left() * 1000 + 1500, 20_000))
  }

  const show = (what) => {
    kind = what
    const words = { soon: 'tSoon', last: 'tLast', over: 'tOver', other: 'tOther' }[what]
    one('#session-title').textContent = dialog.dataset[words]
    one('#session-text').textContent = dialog.dataset[`${words}Text`].replace('{minutes}', Math.max(1, Math.ceil(left() / 60)))
    one('[data-session-in]').hidden = what !== 'over'
    const stay = one('[data-session-stay]')
    stay.hidden = what === 'over' || what === 'last'
    stay.textContent = what === 'other' ? dialog.dataset.tReload : dialog.dataset.tStay
    if (!dialog.open) dialog.showModal()
  }
  const hide = () => { kind = ''; if (dialog.open) dialog.close() }

  one('[data-session-stay]').addEventListener('click', async () => {
    if (kind === 'other') { location.reload(); return }
    let found
    try { found = await ask(dialog.dataset.stay, 'POST') } catch { /* no network: it stays open */ }
    if (found === null) { show('over'); return }
    if (found && take(found)) { hide(); later() }
  })

  /* back from the window in which one signed in again */
  const again = async () => {
    if (document.hidden || kind !== 'over') return
    try {
      const found = await ask(dialog.dataset.state, 'GET')
      if (found && take(found)) { hide(); later() }
    } catch { /* tried again at the next look */ }
  }
  document.addEventListener('visibilitychange', () => { again(); if (!document.hidden && kind === '') look() })
  window.addEventListener('focus', again)
  later()
})()
