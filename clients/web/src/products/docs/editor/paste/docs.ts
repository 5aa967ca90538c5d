// Lists as Google Docs, LibreOffice and Word for the web write them: deeper ones beside, not inside, their item.

const LISTS = 'ul, ol'

/** Whether a list stands directly in a list, or lists say their depth in an attribute. */
export function isNestedBySiblings(body: HTMLElement): boolean {
  return body.querySelector('ul > ul, ul > ol, ol > ul, ol > ol, li[data-aria-level]') !== null
}

export function nestLists(body: HTMLElement): void {
  wordOnline(body)
  // From the inside, so that what moves is already right.
  for (const list of [...body.querySelectorAll('ul > ul, ul > ol, ol > ul, ol > ol')].reverse()) {
    const item = list.previousElementSibling
    if (item?.tagName === 'LI') {
      const before = item.lastElementChild
      if (before !== null && before.matches(LISTS) && before.tagName === list.tagName) before.append(...list.childNodes)
      else item.append(list)
      if (list.childNodes.length === 0) list.remove()
    } else if (item?.matches(LISTS) === true && item.tagName === list.tagName) {
      item.append(...list.childNodes)
      list.remove()
    } else {
      const made = body.ownerDocument.createElement('li')
      list.replaceWith(made)
      made.append(list)
    }
  }
}

/** Word for the web makes a list of each item; they belong together, `data-aria-level` deep. */
function wordOnline(body: HTMLElement): void {
  body.querySelectorAll('div.ListContainerWrapper').forEach((wrapper) => wrapper.replaceWith(...wrapper.childNodes))
  const items = [...body.querySelectorAll<HTMLElement>('li[data-aria-level]')]
  if (items.length === 0) return
  let stack: { list: Element; level: number }[] = []
  let last: Element | null = null
  for (const item of items) {
    const own = item.parentElement
    if (own === null || !own.matches(LISTS)) continue
    const level = Math.max(1, Number(item.getAttribute('data-aria-level')) || 1)
    const isNext = last !== null && (own === last || own.previousElementSibling === last || own.previousElementSibling === stack[0]?.list)
    if (!isNext) stack = []
    while (stack.length > 0 && stack.at(-1)!.level > level) stack.pop()
    const top = stack.at(-1)
    if (top === undefined) stack = [{ list: own, level }]
    else if (top.level === level && top.list.tagName === own.tagName) {
      if (top.list !== own) top.list.append(item)
    } else if (top.level < level) {
      const list = body.ownerDocument.createElement(own.tagName)
      ;(top.list.lastElementChild ?? top.list).append(list)
      list.append(item)
      stack.push({ list, level })
    } else {
      stack.pop()
      stack.push({ list: own, level })
    }
    last = stack[0]!.list
    if (own.childElementCount === 0) own.remove()
  }
}
