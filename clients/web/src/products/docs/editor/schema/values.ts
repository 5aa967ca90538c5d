// Which attributes the content's nodes and marks have, and which values we can draw.
import schema from '@schema/docs'

type Check = (value: unknown) => boolean

const isText: Check = (value) => typeof value === 'string'
const isTextOrNone: Check = (value) => value === null || typeof value === 'string'
const isCount =
  (most: number): Check =>
  (value) => typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= most
const isSizeOrNone: Check = (value) => value === null || (typeof value === 'number' && value >= 0 && value < 1e6)

/** The schema file says which attributes there are; this says what may stand in them. */
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

interface Entry {
  attrs?: Record<string, unknown>
}

const OWNERS = { ...schema.nodes, ...schema.marks } as Record<string, Entry>

/** Whether `owner` (a node or mark) has the attribute `key` and `value` can be drawn. */
export function isAttributeKnown(owner: string, key: string, value: unknown): boolean {
  const attributes = OWNERS[owner]?.attrs
  if (attributes === undefined || !Object.hasOwn(attributes, key)) return false
  const check = CHECKS[`${owner}.${key}`] ?? CHECKS[key]
  return value === undefined || check === undefined || check(value)
}
