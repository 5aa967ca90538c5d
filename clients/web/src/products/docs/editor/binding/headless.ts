// An editor's state without a page, for tests: what a view does with a binding, and nothing else.
import { getSchema, type Extensions } from '@tiptap/core'
import { EditorState, type Plugin, type Transaction } from '@tiptap/pm/state'
import type { Node, Schema } from '@tiptap/pm/model'
import * as Y from 'yjs'
import { marks } from '../schema/marks'
import { nodes, tableRoles } from '../schema/nodes'
import { Binding, type Surface } from './binding'
import type { Foreign } from './foreign'

/** The schema of the content, without an editor; `more` is what a newer version knows besides. */
export function contentSchema(more: Extensions = []): Schema {
  return getSchema([tableRoles, ...nodes, ...marks, ...more])
}

export class Headless implements Surface {
  state: EditorState
  readonly binding: Binding
  readonly doc: Y.Doc
  foreign: Foreign | null = null

  /** @throws {Foreign} */
  constructor(doc: Y.Doc, schema: Schema, plugins: Plugin[] = []) {
    this.doc = doc
    this.binding = new Binding(doc.getXmlFragment('default'), schema, { foreign: (error) => (this.foreign = error) })
    this.state = EditorState.create({ doc: this.binding.document, plugins: [this.binding.plugin(), ...plugins] })
    this.binding.attach(this)
  }

  get text(): Node {
    return this.state.doc
  }

  dispatch(tr: Transaction): void {
    const before = this.state
    const { state } = before.applyTransaction(tr)
    this.state = state
    this.binding.write(before)
  }
}
