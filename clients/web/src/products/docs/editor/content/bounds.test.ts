// What is typed and pasted stays within the schema's bounds; what is beyond them already may stay.
import { Fragment, Slice } from '@tiptap/pm/model'
import { EditorState, type Transaction } from '@tiptap/pm/state'
import { expect, test } from 'vitest'
import { contentSchema } from '../binding/headless'
import { cleanHtml } from '../paste/clean'
import { looksLikeMarkdown } from '../paste/looks'
import type { EditorEvent } from '../types'
import { bounds, fitted } from './bounds'

interface CpuUsage {
  user: number
  system: number
}
declare const process: { cpuUsage(since?: CpuUsage): CpuUsage }

const schema = contentSchema()
const line = (text: string) => schema.node('paragraph', null, text === '' ? [] : schema.text(text))
const quotes = (levels: number) => Array.from({ length: levels }).reduce((inside: ReturnType<typeof line>) => schema.node('blockquote', null, inside), line('deep'))

function stateOf(...blocks: ReturnType<typeof line>[]) {
  const said: EditorEvent[] = []
  const plugin = bounds({ words: () => (key, values) => `${key} ${values?.['n']}`, onEvent: (event) => said.push(event) })
  const state = EditorState.create({ doc: schema.node('doc', null, blocks), plugins: [plugin] })
  return { said, state, apply: (tr: Transaction) => state.applyTransaction(tr).state }
}

test('what nests deeper than the schema allows is refused in words', () => {
  const { said, state, apply } = stateOf(line('here'))
  expect(apply(state.tr.insert(0, quotes(31))).doc.childCount).toBe(2)
  expect(said).toEqual([])
  expect(apply(state.tr.insert(0, quotes(32))).doc).toBe(state.doc)
  expect(said).toEqual([{ type: 'refused', reason: 'too-deep', message: 'editor.bounds.deep 32' }])
})

test('a block takes no more text than the schema allows', () => {
  const { said, state, apply } = stateOf(line('a'.repeat(99_999)), line('b'))
  expect(apply(state.tr.insertText('c', 1)).doc.firstChild?.textContent).toHaveLength(100_000)
  expect(apply(state.tr.insertText('cd', 1)).doc).toBe(state.doc)
  expect(said).toEqual([{ type: 'refused', reason: 'too-long', message: 'editor.bounds.long 100000' }])
})

test('a document that is beyond the bounds can be written on, and made smaller', () => {
  const { said, state, apply } = stateOf(quotes(40), line('a'.repeat(100_010)))
  expect(apply(state.tr.insertText('still ', 41)).doc.firstChild?.textContent).toBe('still deep')
  const inLong = state.doc.firstChild!.nodeSize + 1
  expect(apply(state.tr.delete(inLong, inLong + 5)).doc.lastChild?.textContent).toHaveLength(100_005)
  expect(said).toEqual([])
})

test('attributes that somebody pastes come into their range', () => {
  const link = (href: string) => schema.text('x', [schema.marks['link']!.create({ href })])
  const pasted = fitted(new Slice(Fragment.fromArray([
    schema.node('orderedList', { start: -5 }),
    schema.node('orderedList', { start: 1e12 }),
    schema.node('codeBlock', { language: 'q'.repeat(100) }),
    schema.node('image', { file: '../../etc/passwd', alt: `${'a'.repeat(1999)}\u{1f600}`, width: 1e9 }),
    schema.node('paragraph', { textAlign: 'evil' }, [link('javascript:alert(1)'), link('https://example.org/')]),
  ]), 0, 0)).content
  expect(pasted.child(0).attrs['start']).toBe(0)
  expect(pasted.child(1).attrs['start']).toBe(999_999_999)
  expect(pasted.child(2).attrs['language']).toHaveLength(40)
  expect(pasted.child(3).attrs).toMatchObject({ file: null, alt: 'a'.repeat(1999), width: 20_000 })
  expect(pasted.child(4).attrs['textAlign']).toBe(null)
  expect(pasted.child(4).content.content.map(({ marks }) => marks.map((mark) => mark.attrs['href'] as unknown))).toEqual([[], ['https://example.org/']])
  const ids = pasted.content.map(({ attrs }) => attrs['id'] as unknown)
  expect(new Set(ids).size).toBe(5)
  expect(ids).not.toContain(null)
})

test('attributes that somebody types come into their range', () => {
  const { state, apply } = stateOf(line('here'))
  const after = apply(state.tr.insert(0, schema.node('orderedList', { start: 99_999_999_999 })))
  expect(after.doc.firstChild?.attrs['start']).toBe(999_999_999)
})

/** Of work, not of waiting for a busy machine. It takes milliseconds; what this guards against took minutes. */
function secondsSince(before: CpuUsage): number {
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e6
}

test.each([
  ['line breaks', '\n'.repeat(900_000)],
  ['fences that never close', '```x\n'.repeat(180_000)],
  ['brackets that never close', '[\n'.repeat(400_000)],
  ['a line of brackets', '['.repeat(20_000)],
  ['a line of stars', '*a_`~~'.repeat(3000)],
])('%s are looked at for Markdown in no time', (_, text) => {
  const before = process.cpuUsage()
  expect(looksLikeMarkdown(text)).toBe(false)
  expect(secondsSince(before)).toBeLessThan(5)
})

test('tags that never close are read in no time', () => {
  const before = process.cpuUsage()
  expect(cleanHtml(`<p>a</p>${'<img '.repeat(200_000)}`)).toBe('<p>a</p>')
  expect(secondsSince(before)).toBeLessThan(5)
})
