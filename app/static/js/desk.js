/* The dispatch desk: a scanner's Enter leads on instead of sending; the camera reads codes. */
(() => {
  'use strict'
  const one = (selector, scope = document) => scope.querySelector(selector)
  const all = (selector, scope = document) => [...scope.querySelectorAll(selector)]

  /* ---- the way through the form ---- */
  const form = one('[data-desk]')
  if (form) {
    const tracking = form.elements.tracking_number
    const courier = form.elements.courier
    const zone = one('[data-dropzone][data-name="proof"]', form)
    const send = one('.form-buttons button[type="submit"]', form)
    const proven = () => all('input[type="hidden"]', one('[data-staged]', zone)).some((input) => input.value)
    const next = ({ scroll = true } = {}) => {
      const show = (field) => {
        field.focus({ preventScroll: true })
        if (scroll) field.scrollIntoView({ block: 'center' })
      }
      if (!courier.value) show(courier)
      else if (!tracking.value.trim()) show(tracking)
      else if (zone && !proven()) {
        const ask = one('input[type="file"]', zone)
        ask.focus({ preventScroll: true })
        zone.scrollIntoView({ block: 'center' })
      } else show(send)
    }
    /* a USB scanner types Enter after the number: go on to what is missing, never send half a parcel */
    form.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || event.target.type !== 'text') return
      if (event.target === tracking && courier.value && tracking.value.trim() && proven()) return
      event.preventDefault()
      next()
    })
    form.addEventListener('aduan:staged', () => setTimeout(() => next()))
    courier.addEventListener('change', () => { if (courier.value && !tracking.value) tracking.focus() })
    tracking.addEventListener('aduan:scanned', () => next())
    /* to whom it goes is read first: the box takes what is scanned without being scrolled to */
    if (!one('[data-error-summary]')) next({ scroll: false })
    /* what stands on the label is shown above its fields */
    const shown = one('.desk-to', form)
    for (const [index, name] of ['recipient', 'address', 'phone'].entries()) {
      form.elements[name]?.addEventListener('input', (event) => { shown.children[index].textContent = event.target.value })
    }
  }

  /* ---- the camera ---- */
  const dialog = one('[data-scan-dialog]')
  if (!dialog?.showModal) return
  const video = one('[data-scan-video]', dialog)
  const words = one('[data-scan-words]', dialog)
  const picture = one('[data-scan-picture]', dialog)
  const say = (name) => { words.textContent = dialog.dataset[`t${name}`] || '' }
  const LARGEST = 1600
  const OPTIONS = {
    formats: ['QRCode', 'Code128', 'Code39', 'Code93', 'ITF', 'EAN13', 'DataMatrix', 'PDF417'],
    tryHarder: true,
    maxNumberOfSymbols: 1,
  }
  let field = null
  let stream = null
  let turn = 0
  let loading = null
  let then = null
  const CASE = /^PGD\W?\d{4}\W?\d{6}$/i
  const TRACKING = /^(?=.*\d)[A-Z0-9][A-Z0-9 -]{3,39}$/i

  /* the reader is a megabyte: it is fetched when somebody wants to scan */
  const reader = () => {
    loading ||= new Promise((done, fail) => {
      const script = document.createElement('script')
      script.src = dialog.dataset.reader
      script.addEventListener('load', done)
      script.addEventListener('error', fail)
      document.head.append(script)
    }).then(() => window.ZXingWASM.prepareZXingModule({
      overrides: { locateFile: () => dialog.dataset.program },
      fireImmediately: true,
    })).catch((error) => { loading = null; throw error })
    return loading
  }
  const pixels = (source, width, height) => {
    const scale = Math.min(1, LARGEST / Math.max(width, height))
    const canvas = document.createElement('canvas')
    canvas.width = Math.max(1, Math.round(width * scale))
    canvas.height = Math.max(1, Math.round(height * scale))
    const pen = canvas.getContext('2d', { willReadFrequently: true })
    pen.drawImage(source, 0, 0, canvas.width, canvas.height)
    return pen.getImageData(0, 0, canvas.width, canvas.height)
  }
  const read = async (image) => {
    const found = await window.ZXingWASM.readBarcodes(image, OPTIONS)
    return found.find((code) => code.isValid && code.text.trim())?.text.trim() || ''
  }
  const halt = () => {
    turn += 1
    for (const track of stream?.getTracks() || []) track.stop()
    stream = null
    video.srcObject = null
  }
  /* what was read goes where it belongs; a case number is no resi */
  const take = (text) => {
    const isCase = 'scanSubmit' in field.dataset
    if (!isCase && CASE.test(text)) { say('Case'); return false }
    if (!isCase && !TRACKING.test(text)) { say('Other'); return false }
    const target = field
    navigator.vibrate?.(60)
    target.value = text.slice(0, target.maxLength > 0 ? target.maxLength : 200)
    target.dispatchEvent(new Event('input', { bubbles: true }))
    then = isCase ? () => target.form.requestSubmit() : () => target.dispatchEvent(new Event('aduan:scanned', { bubbles: true }))
    dialog.close()
    return true
  }
  const look = async () => {
    const mine = (turn += 1)
    say('Starting')
    const ready = reader()
    ready.catch(() => { if (mine === turn) say('Failed') })
    try {
      const wanted = { facingMode: 'environment', width: { ideal: 1280 }, height: { ideal: 720 } }
      const opened = await navigator.mediaDevices.getUserMedia({ video: wanted, audio: false })
      if (mine !== turn) { for (const track of opened.getTracks()) track.stop(); return }
      stream = opened
      video.srcObject = stream
      await video.play()
      await ready
    } catch {
      if (mine === turn && !stream) say('NoCamera')
      return
    }
    if (mine === turn) say('Looking')
    while (mine === turn) {
      if (video.videoWidth) {
        const text = await read(pixels(video, video.videoWidth, video.videoHeight)).catch(() => '')
        if (mine !== turn || (text && take(text))) return
      }
      await new Promise((go) => setTimeout(go, 120))
    }
  }
  for (const button of all('[data-scan]')) {
    button.addEventListener('click', () => {
      field = document.getElementById(button.dataset.scan)
      dialog.showModal()
      look()
    })
  }
  picture.addEventListener('change', async () => {
    const [file] = picture.files
    picture.value = ''
    if (!file) return
    try {
      await reader()
    } catch { say('Failed'); return }
    try {
      const image = await createImageBitmap(file)
      const text = await read(pixels(image, image.width, image.height))
      image.close()
      if (!text) say('Nothing')
      else take(text)
    } catch { say('Nothing') }
  })
  one('[data-scan-close]', dialog).addEventListener('click', () => dialog.close())
  dialog.addEventListener('close', () => {
    halt()
    const go = then || (() => field?.focus())
    then = null
    go()
  })
})()
