/* Files open over the page instead of leaving it: pictures as they are, PDFs in the browser's viewer. */
(() => {
  'use strict'
  const dialog = document.querySelector('[data-file-dialog]')
  if (!dialog?.showModal) return
  const body = dialog.querySelector('[data-file-body]')

  document.addEventListener('click', (event) => {
    const link = event.target.closest('a[data-file-preview]')
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return
    const pdf = link.dataset.filePreview === 'pdf'
    /* a phone has no PDF viewer inside a page */
    if (pdf && (matchMedia('(max-width: 760px)').matches || navigator.pdfViewerEnabled === false)) return
    event.preventDefault()
    const view = document.createElement(pdf ? 'iframe' : 'img')
    view.className = pdf ? 'preview-pdf' : 'preview-picture'
    view[pdf ? 'title' : 'alt'] = link.dataset.fileName
    view.src = link.href
    if (!pdf) view.addEventListener('click', () => view.classList.toggle('is-large'))
    dialog.querySelector('[data-file-name]').textContent = link.dataset.fileName
    dialog.querySelector('[data-file-open]').href = link.href
    body.replaceChildren(view)
    dialog.showModal()
  })
  dialog.addEventListener('click', (event) => { if (event.target === dialog) dialog.close() })
  dialog.addEventListener('close', () => body.replaceChildren())
})()
