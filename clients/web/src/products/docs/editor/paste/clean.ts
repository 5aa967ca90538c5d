// Pasted HTML, made plain: what Word, Google Docs, LibreOffice and web pages mean, without how they look.
//
// Everything happens in a document without scripts, styles or network. What comes out has only tags
// that the schema knows; styles that carry meaning (bold, struck through, centred …) became tags or
// the few attributes it reads.
import { isNestedBySiblings, nestLists } from './docs'
import { isFromWord, listsFromWord, tidyWord } from './word'

const DROPPED = 'script, style, meta, link, title, head, template, object, embed, iframe, frame, svg, math, video, audio, canvas, noscript, input:not([type=checkbox]), select, textarea, button'

/**
 * The body of HTML from elsewhere, without scripts and style sheets. Its `style` attributes are called
 * `data-style`, those that are scripts `data-on…`: a page with a strict CSP complains of each one that it
 * parses.
 */
export function inertBody(html: string): HTMLElement {
  const quiet = html
    .replace(/<(script|style)\b[\s\S]*?(?:<\/\1\s*>|$)/gi, '')
    .replace(/<base\b/gi, '<br-')
    .replace(/<[a-z][^<>]*>/gi, (tag) => tag.replace(/(\s)(style|on[a-z]+)(\s*=)/gi, '$1data-$2$3'))
  return new DOMParser().parseFromString(quiet, 'text/html').body
}

/** The HTML that the schema's rules can read. */
export function cleanHtml(html: string): string {
  const body = inertBody(html)
  // Copied from an editor of ours: it is clean, and its ids and marks are exact.
  if (body.querySelector('[data-pm-slice]') !== null) {
    body.querySelectorAll('script, style').forEach((element) => element.remove())
    return body.innerHTML
  }
  if (isFromWord(html)) {
    tidyWord(body)
    listsFromWord(body)
  }
  body.querySelectorAll(DROPPED).forEach((element) => element.remove())
  removeComments(body)
  unwrapGoogle(body)
  if (isNestedBySiblings(body)) nestLists(body)
  taskLists(body)
  styles(body)
  images(body)
  // A line break ends the last line of code; it does not begin another.
  for (const code of body.querySelectorAll('pre > code:only-child')) code.textContent = (code.textContent ?? '').replace(/\n$/, '')
  attributes(body)
  return body.innerHTML
}

function removeComments(body: HTMLElement): void {
  const walker = body.ownerDocument.createTreeWalker(body, NodeFilter.SHOW_COMMENT)
  const comments: Node[] = []
  while (walker.nextNode()) comments.push(walker.currentNode)
  for (const comment of comments) comment.parentNode?.removeChild(comment)
}

/** Google Docs puts everything into a `<b>` that is not bold. */
function unwrapGoogle(body: HTMLElement): void {
  body.querySelectorAll('b[id^="docs-internal-guid"]').forEach(unwrap)
  body.querySelectorAll('br.Apple-interchange-newline').forEach((element) => element.remove())
}

export function unwrap(element: Element): void {
  element.replaceWith(...element.childNodes)
}

/** Checklists of Google Docs, GitHub and Markdown. */
function taskLists(body: HTMLElement): void {
  for (const item of body.querySelectorAll('li')) {
    const box = [...item.querySelectorAll<HTMLInputElement>('input[type=checkbox]')].find((input) => input.closest('li') === item)
    const typed = /^\s*\[([ xX])\]\s+/.exec(item.textContent ?? '')
    let isChecked: boolean
    if (item.getAttribute('role') === 'checkbox') isChecked = item.getAttribute('aria-checked') === 'true'
    else if (box !== undefined) isChecked = box.hasAttribute('checked')
    else if (typed !== null && trimStart(item)) isChecked = typed[1] !== ' '
    else continue
    box?.remove()
    item.querySelectorAll(':scope > img').forEach((image) => image.remove())
    item.setAttribute('data-checked', String(isChecked))
    item.parentElement?.setAttribute('data-tasks', '')
  }
  for (const list of body.querySelectorAll('[data-tasks]')) {
    for (const item of list.children) {
      if (item.tagName === 'LI' && !item.hasAttribute('data-checked')) item.setAttribute('data-checked', 'false')
    }
  }
  body.querySelectorAll('input').forEach((element) => element.remove())
}

/** Takes a typed box off, if it stands in one text. */
function trimStart(item: Element): boolean {
  const walker = item.ownerDocument.createTreeWalker(item, NodeFilter.SHOW_TEXT)
  while (walker.nextNode()) {
    const text = walker.currentNode as Text
    if (text.data.trim() === '') continue
    const rest = text.data.replace(/^\s*\[[ xX]\]\s+/, '')
    const isWhole = rest !== text.data
    text.data = rest
    return isWhole
  }
  return false
}

/** A style and the tag that means the same. */
const MEANINGS: readonly { tag: string; is: (style: Style) => boolean }[] = [
  { tag: 'strong', is: (style) => /^(bold|bolder|[6-9]00)$/.test(style.get('font-weight')) },
  { tag: 'em', is: (style) => /^(italic|oblique)/.test(style.get('font-style')) },
  { tag: 'u', is: (style) => /\bunderline\b/.test(style.line) },
  { tag: 's', is: (style) => /\bline-through\b/.test(style.line) },
  { tag: 'sub', is: (style) => style.get('vertical-align') === 'sub' },
  { tag: 'sup', is: (style) => style.get('vertical-align') === 'super' },
]

interface Style {
  get(name: string): string
  line: string
}

/** Read as text: what a browser normalises differs from one to the next. */
function styleOf(element: Element): Style | null {
  const text = element.getAttribute('data-style')
  if (text === null) return null
  const values = new Map<string, string>()
  for (const declaration of text.split(';')) {
    const at = declaration.indexOf(':')
    if (at > 0) values.set(declaration.slice(0, at).trim().toLowerCase(), declaration.slice(at + 1).trim().toLowerCase())
  }
  const get = (name: string) => values.get(name) ?? ''
  return { get, line: `${get('text-decoration')} ${get('text-decoration-line')}` }
}

const BLOCKS = 'p, h1, h2, h3, h4, h5, h6, li, td, th, div, blockquote, ul, ol, table, tr, pre, body'

function styles(body: HTMLElement): void {
  for (const element of [...body.querySelectorAll('[data-style], [align]')]) {
    const style = styleOf(element)
    if (element.matches('p, h1, h2, h3, h4, h5, h6')) {
      const side = style?.get('text-align') || element.getAttribute('align') || ''
      if (/^(center|right|justify)$/.test(side)) element.setAttribute('data-side', side)
    }
    if (style === null || element.matches(BLOCKS)) continue
    // A link is underlined by being one; a heading is bold by being one.
    const isLink = element.closest('a') !== null
    const isHeading = element.closest('h1, h2, h3, h4, h5, h6') !== null
    for (const { tag, is } of MEANINGS) {
      if (!is(style) || (tag === 'u' && isLink) || (tag === 'strong' && isHeading)) continue
      if (element.closest(tag) !== null) continue
      wrapInside(element, tag)
    }
    const color = highlightOf(style)
    if (color !== null) wrapInside(element, 'mark').setAttribute('data-color', color)
    if (element.matches('b, strong') && /^(normal|[1-4]00)$/.test(style.get('font-weight'))) unwrap(element)
    else if (element.matches('i, em') && style.get('font-style') === 'normal') unwrap(element)
    else if (element.matches('u') && style.get('text-decoration') === 'none') unwrap(element)
  }
  body.querySelectorAll('h1 b, h1 strong, h2 b, h2 strong, h3 b, h3 strong, h4 b, h4 strong, h5 b, h5 strong, h6 b, h6 strong').forEach((element) => {
    if (element.closest('h1, h2, h3, h4, h5, h6')?.textContent?.trim() === element.textContent?.trim()) unwrap(element)
  })
  body.querySelectorAll('a u').forEach(unwrap)
}

function wrapInside(element: Element, tag: string): Element {
  const wrapper = element.ownerDocument.createElement(tag)
  wrapper.append(...element.childNodes)
  element.append(wrapper)
  return wrapper
}

const NAMED: Record<string, string> = { yellow: 'yellow', lime: 'green', green: 'green', aqua: 'blue', cyan: 'blue', blue: 'blue', fuchsia: 'pink', magenta: 'pink', pink: 'pink', purple: 'purple' }

/** The marker's colour behind a text: of the clear colours the nearest; none for white, grey and black. */
function highlightOf(style: Style): string | null {
  const value = style.get('mso-highlight') || style.get('background-color') || style.get('background')
  const named = NAMED[value]
  if (named !== undefined) return named
  const hex = /^#([0-9a-f]{6})\b/.exec(value)
  const rgb = /^rgba?\(\s*(\d+)[,\s]+(\d+)[,\s]+(\d+)(?:[,\s/]+([\d.]+))?/.exec(value)
  if (hex === null && (rgb === null || rgb[4] === '0')) return null
  const [red = 0, green = 0, blue = 0] = hex === null ? rgb!.slice(1, 4).map(Number) : [1, 3, 5].map((at) => Number.parseInt(value.slice(at, at + 2), 16))
  const most = Math.max(red, green, blue)
  const least = Math.min(red, green, blue)
  if (most - least < 60) return null
  const span = most - least
  const hue = most === red ? ((green - blue) / span + 6) % 6 : most === green ? (blue - red) / span + 2 : (red - green) / span + 4
  return hue < 1.5 && hue > 0.5 ? 'yellow' : hue < 2.75 && hue >= 1.5 ? 'green' : hue >= 2.75 && hue < 4.2 ? 'blue' : hue >= 4.2 && hue < 4.8 ? 'purple' : 'pink'
}

/** Images of elsewhere are not loaded: what they are about stays, as text or as a link. */
function images(body: HTMLElement): void {
  for (const image of body.querySelectorAll('img')) {
    if (image.hasAttribute('data-file')) continue
    const address = image.getAttribute('src') ?? ''
    const alt = image.getAttribute('alt')?.trim() ?? ''
    if (/^https?:\/\//i.test(address) && image.closest('a') === null) {
      const link = body.ownerDocument.createElement('a')
      link.setAttribute('href', address)
      link.textContent = alt || address
      image.replaceWith(link)
    } else if (alt !== '' && !address.startsWith('data:')) image.replaceWith(alt)
    else image.remove()
  }
}

const KEPT: ReadonlySet<string> = new Set([
  'href', 'colspan', 'rowspan', 'start', 'alt', 'data-file', 'data-width', 'data-natural-width', 'data-natural-height', 'data-checked',
  'data-tasks', 'data-color', 'data-mention', 'data-language', 'data-rule',
])

function attributes(body: HTMLElement): void {
  for (const element of body.querySelectorAll('*')) {
    const language = element.matches('pre, pre > code') ? /(?:^|\s)(?:language|lang|highlight-source)-([\w+#-]+)/.exec(element.className)?.[1] : undefined
    const side = element.getAttribute('data-side')
    for (const name of element.getAttributeNames()) if (!KEPT.has(name)) element.removeAttribute(name)
    if (language !== undefined) element.closest('pre')?.setAttribute('data-language', language)
    if (side !== null) element.setAttribute('align', side)
  }
  body.querySelectorAll('font, span:not([data-mention]), o\\:p').forEach(unwrap)
}

/** The images that stand in the HTML itself, as files; not the boxes of Google's checklists. */
export function inlineImages(html: string): File[] {
  const body = inertBody(html)
  const files: File[] = []
  for (const image of body.querySelectorAll('img[src^="data:image/"]')) {
    if (image.closest('[role=checkbox], [aria-roledescription=checkbox]') !== null) continue
    const found = /^data:(image\/(?:png|jpeg|gif|webp));base64,([A-Za-z0-9+/=\s]+)$/.exec(image.getAttribute('src') ?? '')
    if (found === null) continue
    const [, type = '', base64 = ''] = found
    try {
      const bytes = Uint8Array.from(atob(base64.replace(/\s/g, '')), (char) => char.charCodeAt(0))
      files.push(new File([bytes], `image.${type.slice(6)}`, { type }))
    } catch {
      // Not base64: there is no image to keep.
    }
  }
  return files
}
