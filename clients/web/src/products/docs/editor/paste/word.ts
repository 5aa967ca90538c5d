// HTML that Word puts on the clipboard: paragraphs that only look like lists, and much else of its own.

export function isFromWord(html: string): boolean {
  return /class=["']?Mso|xmlns:o=["']urn:schemas-microsoft-com|style=["'][^"']*mso-|<w:WordDocument>/i.test(html)
}

/** Takes away what only Word understands. */
export function tidyWord(body: HTMLElement): void {
  for (const element of [...body.querySelectorAll('*')]) {
    if (!element.tagName.includes(':')) continue
    // `<o:p>` holds text or a space that stands for an empty line; shapes and fields hold nothing to keep.
    if (element.tagName === 'O:P') element.replaceWith(...element.childNodes)
    else element.remove()
  }
  body.querySelectorAll('[data-style*="mso-element:comment"], .MsoCommentReference, [data-style*="mso-hide:all"], [data-style*="mso-hide: all"]').forEach((element) => element.remove())
  for (const paragraph of body.querySelectorAll<HTMLElement>('p.MsoTitle, p.MsoSubtitle, p[data-style*="mso-outline-level"]')) heading(paragraph)
  for (const quote of body.querySelectorAll<HTMLElement>('p.MsoQuote, p.MsoIntenseQuote')) {
    const made = quote.ownerDocument.createElement('blockquote')
    quote.replaceWith(made)
    made.append(quote)
  }
  body.querySelectorAll('p').forEach((paragraph) => {
    if (paragraph.textContent?.replace(/\u00a0/g, ' ').trim() === '' && paragraph.querySelector('img, br') === null) paragraph.replaceChildren()
  })
}

function heading(paragraph: HTMLElement): void {
  const outline = /mso-outline-level:\s*(\d)/.exec(paragraph.getAttribute('data-style') ?? '')?.[1]
  const level = paragraph.className.includes('MsoTitle') ? 1 : paragraph.className.includes('MsoSubtitle') ? 2 : Math.min(6, Number(outline) || 1)
  const made = paragraph.ownerDocument.createElement(`h${level}`)
  made.append(...paragraph.childNodes)
  paragraph.replaceWith(made)
}

interface Open {
  list: HTMLElement
  level: number
}

/**
 * Makes lists of the paragraphs whose style says `mso-list:l0 level2 lfo1`: which list, how deep. The
 * bullet or number stands as text in a span that Word marks as to be ignored.
 */
export function listsFromWord(body: HTMLElement): void {
  let open: Open[] = []
  let next: Element | null = null
  for (const paragraph of [...body.querySelectorAll<HTMLElement>('[data-style*="mso-list"]')]) {
    const found = /mso-list:\s*(?:l\d+\s+)?level(\d)/i.exec(paragraph.getAttribute('data-style') ?? '')
    if (found === null || !paragraph.matches('p, h1, h2, h3, h4, h5, h6, div')) continue
    const level = Number(found[1])
    const marker = takeMarker(paragraph)
    if (next !== paragraph || open[0]?.list.parentNode !== paragraph.parentNode) open = []
    next = nextBlock(paragraph)
    while (open.length > 0 && open.at(-1)!.level > level) open.pop()
    const kind = isNumber(marker) ? 'ol' : 'ul'
    let top = open.at(-1)
    if (top !== undefined && top.level === level && top.list.tagName.toLowerCase() !== kind) {
      open.pop()
      top = open.at(-1)
      if (top === undefined) open = []
    }
    const document = paragraph.ownerDocument
    if (top === undefined || top.level < level) {
      const list = document.createElement(kind)
      const start = kind === 'ol' ? Number(/\d+/.exec(marker)?.[0] ?? 1) : 1
      if (start > 1) list.setAttribute('start', String(start))
      if (top === undefined) paragraph.before(list)
      else (top.list.lastElementChild ?? top.list.appendChild(document.createElement('li'))).append(list)
      top = { list, level }
      open.push(top)
    }
    const item = document.createElement('li')
    const text = document.createElement(paragraph.tagName === 'DIV' ? 'p' : paragraph.tagName)
    text.append(...paragraph.childNodes)
    item.append(text)
    top.list.append(item)
    paragraph.remove()
  }
}

function nextBlock(paragraph: Element): Element | null {
  return paragraph.nextElementSibling
}

/** Removes the bullet or number and returns it. */
function takeMarker(paragraph: Element): string {
  const spans = [...paragraph.querySelectorAll('[data-style*="mso-list:Ignore"], [data-style*="mso-list: Ignore"], [data-style*="mso-list:ignore"]')]
  const marker = spans.map((span) => span.textContent ?? '').join('')
  if (spans.length > 0) {
    spans.forEach((span) => span.remove())
    return marker.trim()
  }
  // Some versions mark nothing: the bullet is the first text, followed by hard spaces.
  const first = paragraph.firstChild
  const text = first?.textContent ?? ''
  const found = /^\s*((?:[·•§oØü▪\u2022\uf0b7\uf0a7]|\(?(?:\d{1,3}|[a-z]|[ivxlc]{1,6})[.)]))[\s\u00a0]{2,}/i.exec(text)
  if (found === null || first === null) return ''
  if (first.nodeType === 3) (first as Text).data = text.slice(found[0].length)
  else first.textContent = text.slice(found[0].length)
  return found[1] ?? ''
}

function isNumber(marker: string): boolean {
  return /^\(?(\d{1,4}|[a-z]{1,2}|[ivxlcdm]+)[.)]/i.test(marker) || /^\d+$/.test(marker)
}
