import { describe, expect, test } from 'vitest'
import { products } from '../products'
import { Dates } from './dates'
import { fill, LANGUAGES, preferred, regional, unmarked, type Message, type Messages } from './messages'

const shell = { id: 'shell', messages: { en: () => import('./en'), fr: () => import('./fr') } }
const slots = (message: Message) => {
  const texts = typeof message === 'string' ? [message] : Object.values(message)
  return [...new Set(texts.flatMap((text) => text.match(/\{\w+\}/g) ?? []))].sort()
}

describe.each([shell, ...products])('the messages of $id', ({ messages }) => {
  const load = async () => Object.fromEntries(await Promise.all(LANGUAGES.map(async (language) => [language, (await messages[language]()).default] as const))) as Record<string, Messages>

  test('have every key in every language, none empty', async () => {
    const loaded = await load()
    const keys = Object.keys(loaded['en'] ?? {}).sort()
    expect(keys.length).toBeGreaterThan(0)
    for (const language of LANGUAGES) {
      expect(Object.keys(loaded[language] ?? {}).sort()).toEqual(keys)
      for (const message of Object.values(loaded[language] ?? {})) expect(fill(message, language)).not.toBe('')
    }
  })

  test('have the same slots in every language', async () => {
    const { en = {}, fr = {} } = await load()
    for (const key of Object.keys(en)) expect([key, slots(fr[key] ?? '')]).toEqual([key, slots(en[key] ?? '')])
  })

  test('have every plural form that a language needs', async () => {
    const loaded = await load()
    for (const language of LANGUAGES) {
      const rules = new Intl.PluralRules(language)
      for (const [key, message] of Object.entries(loaded[language] ?? {})) {
        if (typeof message === 'string') continue
        for (const n of [0, 1, 2, 5, 21]) expect([key, message[rules.select(n)]]).not.toEqual([key, undefined])
      }
    }
  })

  test('keep French signs from breaking off', async () => {
    const { fr = {} } = await load()
    for (const [key, message] of Object.entries(fr)) {
      for (const text of typeof message === 'string' ? [message] : Object.values(message)) expect([key, text]).not.toEqual([key, expect.stringMatching(/ [:;!?»]|« /)])
    }
  })
})

test('a plural is chosen by the rules of its language: zero is plural in English, singular in French', () => {
  expect(fill({ one: '{n} person', other: '{n} people' }, 'en', { n: 0 })).toBe('0 people')
  expect(fill({ one: '{n} personne', other: '{n} personnes' }, 'fr', { n: 0 })).toBe('0 personne')
  expect(fill({ one: '{n} person', other: '{n} people' }, 'en', { n: 1 })).toBe('1 person')
  // Millions take "many" in French, which falls back on "other".
  expect(fill({ one: '{n} octet', other: '{n} octets' }, 'fr', { n: 1_000_000 })).toMatch(/octets$/)
})

test('numbers are written as the language does, texts as they are', () => {
  expect(fill('{n} of {all}', 'en', { n: 12345, all: '12345' })).toBe('12,345 of 12345')
  expect(fill('{n}', 'fr', { n: 12345 })).toBe('12\u202f345')
})

test('a value with braces is not filled again', () => {
  expect(fill('{a} {b}', 'en', { a: '{b}', b: 'x' })).toBe('{b} x')
})

test('the first language that is spoken here is taken', () => {
  expect(preferred(['de-CH', 'fr-CA', 'en'])).toBe('fr')
  expect(preferred(['de'])).toBe('en')
})

test('days and times look as where the reader lives', () => {
  expect(regional('en', ['fr-CH', 'en-GB', 'en-US'])).toBe('en-GB')
  expect(regional('fr', ['en-GB'])).toBe('fr')
  const noon = Date.UTC(2026, 10, 20, 13, 5) / 1000
  expect(new Dates('en-GB', 'UTC').full(noon)).toBe('20 Nov 2026, 13:05')
})

describe('times', () => {
  const now = Date.UTC(2026, 10, 20, 12) / 1000
  const english = new Dates('en', 'UTC')
  const french = new Dates('fr', 'UTC')

  test('are told as a distance, and as a day after a week', () => {
    expect(english.ago(now - 20, now)).toBe('now')
    expect(english.ago(now - 300, now)).toBe('5 minutes ago')
    expect(french.ago(now - 7200, now)).toBe('il y a 2 heures')
    expect(french.ago(now - 86_400, now)).toBe('hier')
    expect(english.ago(now - 8 * 86_400, now)).toBe('Nov 12')
    expect(english.ago(now + 2 * 86_400, now)).toBe('in 2 days')
  })

  test('name the year where it is not this one', () => {
    expect(english.day(now - 400 * 86_400, now)).toBe('Oct 16, 2025')
    expect(french.day(now - 400 * 86_400, now)).toBe('16 oct. 2025')
  })
})

test('a name that turns the direction of writing stays within itself', () => {
  const filled = fill('Restore “{title}” of {name}?', 'en', { title: 'Plan \u202egnihton\u2069', name: 'Ada' })
  expect(filled).toBe('Restore “\u2068Plan \u202egnihton\u2069” of Ada?')
  expect(fill('{name}!', 'en', { name: 'שרה' })).toBe('\u2068שרה\u2069!')
  expect(unmarked(filled)).toBe('Restore “Plan \u202egnihton” of Ada?')
})
