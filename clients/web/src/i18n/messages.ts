// What a message is, and how its slots and plurals are filled in.

export const LANGUAGES = ['en', 'fr'] as const
export type Language = (typeof LANGUAGES)[number]

/** A text with `{slots}`, or one per plural category of `{n}`; `other` stands for those not given. */
export type Message = string | ({ readonly other: string } & { readonly [category in Intl.LDMLPluralRule]?: string })
export type Messages = Readonly<Record<string, Message>>
/** The values of the slots. `n` also chooses the plural; numbers are written as the language does. */
export type Slots = Readonly<Record<string, string | number>>

/** Messages of another language: a message for each key of `Source`. */
export type Translated<Source> = { readonly [key in keyof Source]: Message }

export function isLanguage(value: unknown): value is Language {
  return LANGUAGES.includes(value as Language)
}

/** The language to begin with: the first that we speak of those the reader prefers, else English. */
export function preferred(languages: readonly string[]): Language {
  return languages.map((tag) => tag.toLowerCase().split('-')[0]).find(isLanguage) ?? 'en'
}

/** `language` as the reader's browser asks for it (`en-GB`), which decides how days and times look. */
export function regional(language: Language, languages: readonly string[]): string {
  return languages.find((tag) => tag.toLowerCase().split('-')[0] === language) ?? language
}

const plurals = new Map<Language, Intl.PluralRules>()
const numbers = new Map<Language, Intl.NumberFormat>()

function kept<Value>(cache: Map<Language, Value>, language: Language, make: () => Value): Value {
  let value = cache.get(language)
  if (value === undefined) cache.set(language, (value = make()))
  return value
}

/** Signs that turn the direction of writing, and letters that run from right to left. */
const TURNING = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/
const ISOLATES = /[\u2066-\u2069]/g

/**
 * A name or title such that the words around it run as they would without it: for texts without markup
 * (elsewhere `<bdi>` does it). Without U+202E and the like it stays as it is.
 */
export function isolate(value: string): string {
  // Isolates of its own, left open or closed too often, would let it out.
  return TURNING.test(value) ? `\u2068${value.replace(ISOLATES, '')}\u2069` : value
}

/** The same text for being kept: without what `isolate` has put in. */
export function unmarked(text: string): string {
  return text.replace(ISOLATES, '')
}

/** `message` in `language` with its slots filled; a slot without a value stays as it is written. */
export function fill(message: Message, language: Language, slots: Slots = {}): string {
  const text = typeof message === 'string' ? message : plural(message, language, Number(slots['n'] ?? 0))
  return text.replace(/\{(\w+)\}/g, (whole, slot: string) => {
    const value = slots[slot]
    if (value === undefined) return whole
    return typeof value === 'number' ? kept(numbers, language, () => new Intl.NumberFormat(language)).format(value) : isolate(value)
  })
}

function plural(message: Exclude<Message, string>, language: Language, n: number): string {
  const category = kept(plurals, language, () => new Intl.PluralRules(language)).select(n)
  return message[category] ?? message.other
}
