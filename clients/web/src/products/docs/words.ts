// Everything the documents say, in the reader's language.
import { translator } from '@i18n'
import type english from './messages/en'

export const t = translator<typeof english>('docs')
export type Key = keyof typeof english
