// Which values of the content's attributes we can draw. Which attributes there are says the schema.

type Check = (value: unknown) => boolean

const isText: Check = (value) => typeof value === 'string'
const isTextOrNone: Check = (value) => value === null || typeof value === 'string'
const isCount =
  (most: number): Check =>
  (value) => typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= most
const isSizeOrNone: Check = (value) => value === null || (typeof value === 'number' && value >= 0 && value < 1e6)

const CHECKS: Record<string, Check> = {
  id: isTextOrNone,
  textAlign: isTextOrNone,
  'heading.level': isCount(6),
  'codeBlock.language': isTextOrNone,
  'image.file': isTextOrNone,
  'image.alt': isTextOrNone,
  'image.width': isSizeOrNone,
  'image.naturalWidth': isSizeOrNone,
  'image.naturalHeight': isSizeOrNone,
  'orderedList.start': (value) => typeof value === 'number' && Number.isInteger(value),
  'taskItem.checked': (value) => typeof value === 'boolean',
  colspan: isCount(1000),
  rowspan: isCount(10000),
  colwidth: (value) =>
    value === null || (Array.isArray(value) && value.every((width) => width === null || typeof width === 'number')),
  'mention.label': isText,
  'link.href': isTextOrNone,
  'highlight.color': isTextOrNone,
}

/** Whether `value` can be drawn as the attribute `key` of the node or mark `owner`; `null` stands for none. */
export function isSound(owner: string, key: string, value: unknown): boolean {
  const check = CHECKS[`${owner}.${key}`] ?? CHECKS[key]
  return value === undefined || check === undefined || check(value)
}
