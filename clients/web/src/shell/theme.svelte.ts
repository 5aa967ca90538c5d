// Light or dark: as the device is, unless somebody chose. /theme.js sets it before the first paint.
import { local } from '../device/local'

export const THEMES = ['auto', 'light', 'dark'] as const
export type Theme = (typeof THEMES)[number]

const KEPT = 'parvis.theme'
const GROUNDS = { light: '#fbfaf7', dark: '#131517' } as const
const dark = matchMedia('(prefers-color-scheme: dark)')

function kept(): Theme {
  const value = local.get(KEPT)
  return THEMES.find((theme) => theme === value) ?? 'auto'
}

const state = $state<{ theme: Theme; isDark: boolean }>({ theme: kept(), isDark: dark.matches })

/** What was chosen. Reactive. */
export function theme(): Theme {
  return state.theme
}

/** What is shown. Reactive. */
export function shown(): 'light' | 'dark' {
  if (state.theme !== 'auto') return state.theme
  return state.isDark ? 'dark' : 'light'
}

export function setTheme(theme: Theme): void {
  state.theme = theme
  if (theme === 'auto') local.remove(KEPT)
  else local.set(KEPT, theme)
  paint()
}

function paint(): void {
  const root = document.documentElement
  if (state.theme === 'auto') delete root.dataset['theme']
  else root.dataset['theme'] = state.theme
  // The browser's own bars around the app.
  document.querySelector('meta[name=theme-color]')?.setAttribute('content', GROUNDS[shown()])
}

dark.addEventListener('change', () => {
  state.isDark = dark.matches
  paint()
})
// Another tab chose.
addEventListener('storage', (event) => {
  if (event.key !== KEPT) return
  state.theme = kept()
  paint()
})
paint()
