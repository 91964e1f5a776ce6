import type { Job } from '@ps/jobs'
import { element, pageElement, setText } from './element.js'
import { formatBytes } from './format.js'

export interface UploadsViewOptions {
  readonly upload: (
    file: File,
    onProgress: (sent: number, total: number) => void,
    signal: AbortSignal,
  ) => Promise<Job>
  readonly onJob: (job: Job) => void
}

/** A browser opens at most six connections to one server over HTTP/1.1; the stream and the calls need some. */
const uploadsAtOnce = 2

/** The place to drop files, the button to choose them, and a card for each file until the api has it. */
export function createUploadsView({ upload, onJob }: UploadsViewOptions): void {
  const zone = pageElement('drop-zone', HTMLDivElement)
  const picker = pageElement('files', HTMLInputElement)
  const button = pageElement('pick-files', HTMLButtonElement)
  const list = pageElement('uploads', HTMLUListElement)
  const waiting: (() => Promise<void>)[] = []
  let running = 0

  const next = (): void => {
    const start = running < uploadsAtOnce ? waiting.shift() : undefined
    if (start === undefined) return
    running += 1
    void start().finally(() => {
      running -= 1
      next()
    })
    next()
  }

  const add = (file: File): void => {
    const card = createUploadCard(file)
    list.append(card.node)
    const queue = (): void => {
      const controller = card.begin()
      waiting.push(() => send(file, card, controller.signal))
      next()
    }
    card.onRetry(queue)
    queue()
  }

  const send = async (file: File, card: UploadCard, signal: AbortSignal): Promise<void> => {
    if (signal.aborted) return card.node.remove()
    card.progress(0, file.size)
    try {
      const job = await upload(file, card.progress, signal)
      card.node.remove()
      onJob(job)
    } catch (error) {
      if (signal.aborted) card.node.remove()
      else card.fail(error instanceof Error ? error.message : String(error))
    }
  }

  button.addEventListener('click', () => picker.click())
  picker.addEventListener('change', () => {
    for (const file of picker.files ?? []) add(file)
    // The same file chosen again is a change again.
    picker.value = ''
  })

  const carriesFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') === true
  // The whole page takes drops: a file that misses the zone would otherwise replace the page.
  document.addEventListener('dragover', (event) => {
    if (!carriesFiles(event)) return
    event.preventDefault()
    zone.classList.add('dragging')
  })
  document.addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) zone.classList.remove('dragging')
  })
  document.addEventListener('drop', (event) => {
    if (!carriesFiles(event)) return
    event.preventDefault()
    zone.classList.remove('dragging')
    for (const file of event.dataTransfer?.files ?? []) add(file)
  })
}

interface UploadCard {
  readonly node: HTMLLIElement
  /** Shows it as waiting; the controller is aborted by its cancel button. */
  begin(): AbortController
  progress(sent: number, total: number): void
  fail(reason: string): void
  onRetry(retry: () => void): void
}

function createUploadCard(file: File): UploadCard {
  const state = element('span', { class: 'state' })
  const facts = element('p', { class: 'facts' })
  const trouble = element('p', { class: 'trouble', role: 'alert' })
  const bar = element('progress', { max: 1, value: 0, 'aria-label': `Upload of ${file.name}` })
  const leave = element('button', { type: 'button', class: 'quiet' })
  const retry = element('button', { type: 'button' }, 'Try again')
  const node = element(
    'li',
    { class: 'card job' },
    element(
      'div',
      { class: 'job-head' },
      state,
      element('h3', { class: 'job-name', title: file.name }, file.name),
      element('div', { class: 'actions' }, leave, retry),
    ),
    facts,
    trouble,
    bar,
  )
  let controller = new AbortController()

  const show = (words: string, mark: string): void => {
    node.dataset['state'] = mark
    setText(state, words)
  }

  leave.addEventListener('click', () => {
    controller.abort()
    node.remove()
  })

  return {
    node,
    begin() {
      controller = new AbortController()
      show('waiting', 'queued')
      setText(facts, formatBytes(file.size))
      setText(trouble, '')
      setText(leave, 'Cancel')
      leave.setAttribute('aria-label', `Cancel the upload of ${file.name}`)
      retry.hidden = true
      bar.hidden = false
      bar.value = 0
      return controller
    },
    progress(sent, total) {
      const part = total === 0 ? 0 : sent / total
      show('uploading', 'running')
      setText(facts, `${Math.floor(part * 100)} % · ${formatBytes(sent)} of ${formatBytes(total)}`)
      bar.value = part
    },
    fail(reason) {
      show('not sent', 'failed')
      setText(trouble, reason)
      setText(leave, 'Dismiss')
      leave.setAttribute('aria-label', `Dismiss ${file.name}`)
      retry.hidden = false
      bar.hidden = true
    },
    onRetry: (callback) => retry.addEventListener('click', callback),
  }
}
