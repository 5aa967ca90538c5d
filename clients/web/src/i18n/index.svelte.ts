// The language of the app and everything said in it: `t` for texts, `dates` for times and days.
//
// A product brings its own messages and makes its own `t` with `translator`:
//
//   import { translator } from '@i18n'
//   import type en from './messages/en'
//   export const t = translator<typeof en>('docs')
import { Dates } from './dates'
import type english from './en'
import { local } from '../device/local'
import { fill, isLanguage, LANGUAGES, preferred, regional, type Language, type Message, type Messages, type Slots } from './messages'

export { isolate, LANGUAGES, unmarked, type Language, type Message, type Messages, type Slots, type Translated } from './messages'

type Loader = () => Promise<{ default: Messages }>
type Loaders = Readonly<Record<Language, Loader>>

/** The languages' own names. */
export const NAMES: Readonly<Record<Language, string>> = { en: 'English', fr: 'Français' }

const KEPT = 'parvis.language'
const kept = local.get(KEPT)

const sources = new Map<string, Loaders>([['shell', { en: () => import('./en'), fr: () => import('./fr') }]])
const state = $state<{ language: Language; messages: Record<string, Messages> }>({
  language: isLanguage(kept) ? kept : preferred(navigator.languages),
  messages: {},
})
const listeners = new Set<(language: Language) => void>()
const dated = $derived(new Dates(regional(state.language, navigator.languages)))

/** Makes known where messages are loaded from; `load` fetches them. */
export function addMessages(id: string, loaders: Loaders): void {
  sources.set(id, loaders)
}

/** Resolves when every known message is here in the present language. Rejects if one cannot be fetched. */
export async function load(language: Language = state.language): Promise<void> {
  const loaded = await Promise.all(
    Array.from(sources, async ([id, loaders]) => [id, (await loaders[language]()).default] as const),
  )
  state.messages = Object.fromEntries(loaded)
  state.language = language
  document.documentElement.lang = language
}

/** The language that is spoken now. Reactive. */
export function language(): Language {
  return state.language
}

/** Speaks `language` from now on, and in this browser's next visits. Rejects if it cannot be fetched. */
export async function speak(language: Language): Promise<void> {
  local.set(KEPT, language)
  if (language === state.language && state.messages['shell']) return
  await load(language)
  for (const listener of listeners) listener(language)
}

/** Whether somebody has chosen a language in this browser. */
export function isChosen(): boolean {
  return local.get(KEPT) !== null
}

/** Calls `listener` after each change of language, for code that is not Svelte's. Returns how to stop it. */
export function onLanguage(listener: (language: Language) => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** The texts of one product: its keys are checked by the compiler. */
export interface Translate<Source> {
  (key: keyof Source & string, slots?: Slots): string
}

/** The `t` of the product `id`. A key without a message (which the tests forbid) is said as it is. */
export function translator<Source>(id: string): Translate<Source> {
  return (key, slots) => {
    const message: Message | undefined = state.messages[id]?.[key]
    return message === undefined ? key : fill(message, state.language, slots)
  }
}

/** The shell's and the components' texts. */
export const t = translator<typeof english>('shell')
export type Key = keyof typeof english

/** How days and times are written in the present language. Reactive. */
export function dates(): Dates {
  return dated
}

/** The languages on offer, each in its own words. */
export const CHOICES = LANGUAGES.map((value) => ({ value, label: NAMES[value] }))
