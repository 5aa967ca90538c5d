// How documents and their files are called.
import type { Doc } from './api'
import { t } from './words'

/** What a document is called where it is shown. */
export const titleOf = (document: Pick<Doc, 'title'>): string => document.title || t('untitled')

/** A name for a file of a document: no signs that file systems refuse. */
export const fileName = (title: string, ending: string): string =>
  `${(title || t('untitled')).replaceAll(/[\\/:*?"<>|\u0000-\u001f]+/g, ' ').trim().slice(0, 120) || 'document'}.${ending}`

/** Hands a file to the reader's browser. */
export function saveFile(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob)
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}
