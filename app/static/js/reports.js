/* A report that is being made: its bar follows, and the page shows the file when it is there. */
(() => {
  'use strict'
  const box = document.querySelector('[data-report-progress]')
  if (!box) return
  const bar = box.querySelector('progress')
  const words = box.querySelector('[data-report-words]')
  let pause = 700
  const look = async () => {
    try {
      const answer = await fetch(box.dataset.reportProgress, { headers: { Accept: 'application/json' }, redirect: 'error' })
      if (!answer.ok) throw new Error(String(answer.status))
      const found = await answer.json()
      if (!found.open) { window.location.reload(); return }
      if (words.textContent !== found.words) words.textContent = found.words
      if (found.state === 'running' && found.percent) bar.value = found.percent
    } catch {
      pause = 5000 // signed out or away: the next look may fare better, and a reload says why
    }
    window.setTimeout(look, pause)
    pause = Math.min(pause * 1.2, 3000)
  }
  window.setTimeout(look, pause)
})()
