// What can be done with documents from lists and menus: each says how it went, and how to take it back.
import { unmarked } from '@i18n'
import { Refusal } from '@shell/api'
import { report } from '@shell/refusals'
import { go } from '@shell/router.svelte'
import { toasts } from '@ui/toasts.svelte'
import * as docs from '../api'
import { titleOf } from '../titles'
import { t } from '../words'
import { lists } from './lists.svelte'

/** Does `work`; null and an error shown if it fails. */
export async function attempt<Value>(what: string, work: () => Promise<Value>): Promise<Value | null> {
  try {
    return await work()
  } catch (error) {
    report(error, what)
    return null
  }
}

/** Makes an empty document and goes there. */
export async function createAndOpen(space: string | null): Promise<void> {
  const document = await attempt(t('new.failed'), () => docs.createDocument({ space }))
  if (document === null) return
  lists.changed(document)
  go(`/docs/${document.key}`)
}

/** Makes a space and goes there; false and an error shown if it fails. */
export async function createSpace(name: string, parent: string | null): Promise<boolean> {
  const made = await attempt(t('spaces.createFailed'), () => docs.createSpace(name, parent))
  if (made === null) return false
  await lists.loadSpaces()
  go(`/docs?space=${encodeURIComponent(made.id)}`)
  return true
}

export async function rename(document: docs.Doc, title: string): Promise<void> {
  const clean = title.trim()
  if (clean === document.title) return
  lists.changed({ ...document, title: clean })
  try {
    lists.changed(await docs.changeDocument(document.key, { title: clean }))
  } catch (error) {
    lists.changed(document)
    report(error, t('rename.failed', { title: titleOf(document) }))
  }
}

export async function duplicate(document: docs.Doc): Promise<docs.Doc | null> {
  const title = unmarked(t('duplicate.title', { title: titleOf(document) })).slice(0, 300)
  const copy = await attempt(t('duplicate.failed', { title: titleOf(document) }), () => docs.duplicateDocument(document.key, title))
  if (copy === null) return null
  lists.changed(copy)
  toasts.done(t('duplicate.done', { title: titleOf(copy) }), { action: { label: t('open'), run: () => go(`/docs/${copy.key}`) } })
  return copy
}

/** Puts a document into the bin; true if it is there now. */
export async function putIntoBin(document: docs.Doc): Promise<boolean> {
  const gone = await attempt(t('bin.failed', { title: titleOf(document) }), () => docs.binDocument(document.key))
  if (gone === null) return false
  lists.changed(gone)
  toasts.done(t('bin.done', { title: titleOf(document) }), { action: { label: t('undo'), run: () => void restore(document, true) } })
  return true
}

export async function restore(document: docs.Doc, quietly = false): Promise<docs.Doc | null> {
  const back = await attempt(t('restore.failed', { title: titleOf(document) }), () => docs.restoreDocument(document.key))
  if (back === null) return null
  lists.changed(back)
  if (!quietly) toasts.done(t('restore.done', { title: titleOf(back) }), { action: { label: t('open'), run: () => go(`/docs/${back.key}`) } })
  return back
}

export async function deleteForEver(document: docs.Doc): Promise<boolean> {
  const done = await attempt(t('delete.failed', { title: titleOf(document) }), async () => {
    await docs.deleteDocument(document.key)
    return true
  })
  if (done === null) return false
  lists.gone(document.key)
  toasts.done(t('delete.done', { title: titleOf(document) }))
  return true
}

export async function moveTo(document: docs.Doc, space: string | null, name: string): Promise<void> {
  const from = document.space
  const moved = await attempt(t('move.failed', { title: titleOf(document) }), () => docs.changeDocument(document.key, { space }))
  if (moved === null) return
  lists.changed(moved)
  void lists.loadSpaces()
  toasts.done(t('move.done', { title: titleOf(moved), place: name }), {
    action: {
      label: t('undo'),
      run: () => void attempt(t('move.failed', { title: titleOf(moved) }), () => docs.changeDocument(document.key, { space: from })).then((back) => {
        if (back !== null) lists.changed(back)
        void lists.loadSpaces()
      }),
    },
  })
}

/** Whether somebody is told that something is not there, or may not be seen. */
export const isMissing = (error: unknown): boolean => error instanceof Refusal && (error.status === 404 || error.status === 410)
