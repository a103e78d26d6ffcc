/* Files open over the page instead of leaving it: a picture as it is, a PDF page by page as images
   that the server draws. Wheel, pinch, keys and buttons make them larger; a swipe turns the page. */
(() => {
  'use strict'
  for (const image of document.querySelectorAll('.document-page img')) {
    const drawn = () => image.classList.add('is-drawn')
    if (image.complete && image.naturalWidth) drawn()
    else image.addEventListener('load', drawn)
  }

  const dialog = document.querySelector('[data-file-dialog]')
  if (!dialog?.showModal) return
  const find = (name) => dialog.querySelector(`[data-file-${name}]`)
  const body = find('body')
  const words = body.dataset
  const LARGEST = 5
  const STEP = 1.25
  let file = null /* {src(page), page, count} */
  let image = null
  let zoom = 1

  /* ---- how large ---- */
  const room = () => ({ width: body.clientWidth - 24, height: body.clientHeight - 24 })
  const fit = () => {
    if (!image?.naturalWidth) return 0
    const { width, height } = room()
    const share = width / image.naturalWidth
    /* a page is read from its width, a picture is seen whole */
    return file.pdf ? Math.min(width, 900) : image.naturalWidth * Math.min(share, height / image.naturalHeight, 1)
  }
  const level = () => { find('level').textContent = `${Math.round(zoom * 100)}%` }
  const resize = (to, x = body.clientWidth / 2, y = body.clientHeight / 2) => {
    if (!image?.naturalWidth) return
    const before = image.getBoundingClientRect()
    const box = body.getBoundingClientRect()
    const at = { x: (box.left + x - before.left) / before.width, y: (box.top + y - before.top) / before.height }
    zoom = Math.min(LARGEST, Math.max(file.pdf ? 0.4 : 1, to))
    image.style.width = `${Math.round(fit() * zoom)}px`
    const after = image.getBoundingClientRect()
    body.scrollLeft += after.left + at.x * after.width - box.left - x
    body.scrollTop += after.top + at.y * after.height - box.top - y
    level()
  }

  /* ---- which page ---- */
  const note = (text) => {
    const line = document.createElement('p')
    line.className = 'preview-note'
    line.textContent = text
    stage.replaceChildren(line)
  }
  const stage = document.createElement('div')
  stage.className = 'preview-stage'
  const count = () => {
    const pages = find('pages')
    pages.hidden = !file.pdf
    const text = file.count ? words.tPage : words.tPageOnly
    find('count').textContent = text.replace('{number}', file.page).replace('{count}', file.count)
    for (const button of pages.querySelectorAll('[data-file-step]')) {
      const to = file.page + Number(button.dataset.fileStep)
      const ends = to < 1 || Boolean(file.count && to > file.count)
      if (ends && button === document.activeElement) body.focus() /* or the keys would go nowhere */
      button.disabled = ends
    }
  }
  const show = (page) => {
    file.page = page
    count()
    const next = new Image()
    next.alt = file.pdf ? `${file.name}, ${find('count').textContent}` : file.name
    next.draggable = false
    const asked = file
    if (!image) note(words.tLoading)
    next.addEventListener('load', () => {
      if (file !== asked || file.page !== page) return
      image = next
      stage.replaceChildren(next)
      resize(zoom)
      body.scrollTop = 0
      if (file.count && page < file.count) new Image().src = file.src(page + 1)
    })
    next.addEventListener('error', () => {
      if (file !== asked || file.page !== page) return
      if (!file.count && page > 1) { file.count = page - 1; return show(page - 1) } /* that was the last */
      image = null
      note(words.tFailed)
    })
    next.src = file.src(page)
  }
  const turn = (by) => {
    const to = file.page + by
    if (file.pdf && to >= 1 && !(file.count && to > file.count)) show(to)
  }

  /* ---- opening ---- */
  document.addEventListener('click', (event) => {
    const link = event.target.closest('a[data-file-preview]')
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return
    const pdf = link.dataset.filePreview === 'pdf'
    const pages = link.href.replace(/#.*$/, '').replace('/documents/file/', '/documents/preview/')
    if (pdf && pages === link.href) return /* nobody draws its pages: it opens by itself */
    event.preventDefault()
    file = { pdf, name: link.dataset.fileName, count: Number(link.dataset.filePages) || 0, src: (page) => pdf ? `${pages}/${page}` : link.href }
    image = null
    zoom = 1
    find('name').textContent = file.name
    find('open').href = link.href
    body.replaceChildren(stage)
    dialog.showModal()
    level()
    show(pdf ? Number(link.dataset.filePage) || 1 : 1)
  })
  dialog.addEventListener('close', () => { file = image = null; body.replaceChildren() })
  dialog.addEventListener('click', (event) => {
    const button = event.target.closest('[data-file-step], [data-file-zoom]')
    if (event.target === dialog) dialog.close()
    if (!button || !file) return
    const { fileStep, fileZoom } = button.dataset
    if (fileStep) turn(Number(fileStep))
    else resize({ in: zoom * STEP, out: zoom / STEP, fit: 1 }[fileZoom])
  })
  dialog.addEventListener('keydown', (event) => {
    if (!file || event.ctrlKey || event.metaKey || event.altKey) return
    const done = {
      '+': () => resize(zoom * STEP), '=': () => resize(zoom * STEP), '-': () => resize(zoom / STEP), 0: () => resize(1),
      PageDown: () => turn(1), PageUp: () => turn(-1),
      Home: () => file.pdf && show(1), End: () => file.count && show(file.count),
      ArrowRight: () => file.pdf && zoom <= 1 ? turn(1) : body.scrollBy(80, 0),
      ArrowLeft: () => file.pdf && zoom <= 1 ? turn(-1) : body.scrollBy(-80, 0),
      ArrowDown: () => body.scrollBy(0, 80), ArrowUp: () => body.scrollBy(0, -80)
    }[event.key]
    if (done) { event.preventDefault(); done() }
  })
  addEventListener('resize', () => { if (image) resize(zoom) })

  /* ---- wheel and fingers ---- */
  body.addEventListener('wheel', (event) => {
    if (!image || (file.pdf && !event.ctrlKey)) return
    event.preventDefault()
    const box = body.getBoundingClientRect()
    resize(zoom * Math.exp(-event.deltaY / 400), event.clientX - box.left, event.clientY - box.top)
  }, { passive: false })
  const fingers = new Map()
  let start = null
  const apart = () => {
    const [a, b] = [...fingers.values()]
    return { far: Math.hypot(a.x - b.x, a.y - b.y), x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 }
  }
  body.addEventListener('pointerdown', (event) => {
    if (!image || event.button) return
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY })
    body.setPointerCapture(event.pointerId)
    body.classList.add('is-moving')
    start = fingers.size === 2 ? { ...apart(), zoom } : { x: event.clientX, y: event.clientY, touch: event.pointerType !== 'mouse' }
  })
  body.addEventListener('pointermove', (event) => {
    const last = fingers.get(event.pointerId)
    if (!last || !image) return
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY })
    if (fingers.size === 2) {
      const now = apart()
      const box = body.getBoundingClientRect()
      resize(start.zoom * now.far / Math.max(start.far, 1), now.x - box.left, now.y - box.top)
    } else if (fingers.size === 1) body.scrollBy(last.x - event.clientX, last.y - event.clientY)
  })
  const lift = (event) => {
    if (!fingers.delete(event.pointerId)) return
    const across = event.clientX - (start?.x ?? 0)
    const swipe = event.type === 'pointerup' && start?.touch && !fingers.size && file?.pdf && zoom <= 1.05
    if (swipe && Math.abs(across) > 60 && Math.abs(across) > 2 * Math.abs(event.clientY - start.y)) turn(across < 0 ? 1 : -1)
    if (fingers.size) start = null /* the finger that stays only moves */
    else body.classList.remove('is-moving')
  }
  body.addEventListener('pointerup', lift)
  body.addEventListener('pointercancel', lift)
})()
