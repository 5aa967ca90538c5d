import shared from '@schema/docs'
import { getSchema } from '@tiptap/core'
import { expect, test } from 'vitest'
import { marks } from './marks'
import { nodes, tableRoles } from './nodes'

interface Spec {
  attrs?: Record<string, { default?: unknown }>
  [name: string]: unknown
}

const NODE_KEYS = ['content', 'group', 'marks', 'code', 'defining', 'isolating', 'inline', 'atom', 'selectable', 'draggable', 'tableRole']
const MARK_KEYS = ['inclusive', 'excludes', 'code']

/** What the file says about a node or mark, read from TipTap's schema. */
function said(spec: Spec, keys: readonly string[]): Record<string, unknown> {
  const facts: Record<string, unknown> = {}
  for (const key of keys) if (spec[key] !== undefined && spec[key] !== null) facts[key] = spec[key]
  const attrs = Object.entries(spec.attrs ?? {}).map(([name, { default: value }]) => [name, value])
  if (attrs.length > 0) facts['attrs'] = Object.fromEntries(attrs)
  return facts
}

const schema = getSchema([tableRoles, ...nodes, ...marks])

test('the nodes are those of the shared schema file', () => {
  const ours = Object.fromEntries(Object.entries(schema.nodes).map(([name, type]) => [name, said(type.spec as Spec, NODE_KEYS)]))
  expect(ours).toEqual(shared.nodes)
})

test('the marks are those of the shared schema file, in the same order', () => {
  const ours = Object.fromEntries(Object.entries(schema.marks).map(([name, type]) => [name, said(type.spec as Spec, MARK_KEYS)]))
  expect(ours).toEqual(shared.marks)
  expect(Object.keys(schema.marks)).toEqual(Object.keys(shared.marks))
})

test('every content expression takes nothing, so that no concurrent edit makes a document wrong', () => {
  for (const type of Object.values(schema.nodes)) {
    expect(type.contentMatch.validEnd, type.name).toBe(true)
    for (let index = 0; index < type.contentMatch.edgeCount; index += 1) {
      expect(type.contentMatch.edge(index).next, type.name).toBe(type.contentMatch)
    }
  }
})
