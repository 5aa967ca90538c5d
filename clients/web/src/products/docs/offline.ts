// Which documents were opened here and have a copy on this device, so that they can be found without network.
//
// The copies themselves are the SDK's, in IndexedDB; this is their list, and the images they show.
// Both are this person's own and go when they sign out.
import { deviceDocuments } from '@parvis/client'
import { account } from '@shell/account.svelte'
import { storageOf } from '@shell/live.svelte'
import type { Doc } from './api'

export type KeptDocument = Doc & { readonly kept: number }

const MOST = 200
const listOf = (user: string): string => `parvis.docs.kept.${user}`
/** The cache of images of somebody who is signed in. */
export const imagesOf = (user: string): string => `parvis-docs-${user}`

function read(user: string): KeptDocument[] {
  try {
    const list = JSON.parse(localStorage.getItem(listOf(user)) ?? '[]') as KeptDocument[]
    return Array.isArray(list) ? list.filter((each) => typeof each.key === 'string') : []
  } catch {
    return []
  }
}

function write(user: string, list: readonly KeptDocument[]): void {
  try {
    localStorage.setItem(listOf(user), JSON.stringify(list.slice(0, MOST)))
  } catch {
    // Storage is full or forbidden: then the home cannot list them; the copies say so themselves.
  }
}

/** Documents that can be opened here without network, the latest first. */
export async function keptHere(): Promise<readonly KeptDocument[]> {
  const user = account.user?.id
  if (user === undefined) return []
  try {
    // The SDK throws old copies away; only those that are there count.
    const rooms = new Set((await deviceDocuments(storageOf(user))).map(({ room }) => room))
    return read(user).filter(({ key }) => rooms.has(`docs/${key}`))
  } catch {
    return []
  }
}

/** The document of a copy on this device, as it was told last. */
export function keptDocument(key: string): KeptDocument | null {
  const user = account.user?.id
  return user === undefined ? null : (read(user).find((each) => each.key === key) ?? null)
}

/** Notes that `document` has a copy here. */
export function noteKept(document: Doc): void {
  const user = account.user?.id
  if (user === undefined) return
  write(user, [{ ...document, kept: Date.now() / 1000 }, ...read(user).filter(({ key }) => key !== document.key)])
}

/** The copy of a document is gone, or not theirs to see any more. */
export function forgetKept(key: string): void {
  const user = account.user?.id
  if (user !== undefined) write(user, read(user).filter((each) => each.key !== key))
}

account.onLeave(async (user) => {
  localStorage.removeItem(listOf(user.id))
  if ('caches' in globalThis) await caches.delete(imagesOf(user.id))
})
