// The commands of the shell itself: its pages, its looks, its languages.
import { CHOICES, language, speak, t } from '@i18n'
import { globe, keyboard, moon, people, person, signOut, sun } from '@ui/icons'
import { account } from './account.svelte'
import type { FrameState } from './frame.svelte'
import type { Command, Product } from './product'
import { report } from './refusals'
import { go } from './router.svelte'
import { setTheme, theme, THEMES } from './theme.svelte'

export function appCommands(products: readonly Product[], frame: FrameState): Command[] {
  const nav = products.flatMap((product) =>
    product.nav.map((item) => ({ id: `${product.id}.nav.${item.id}`, label: item.label(), group: t('palette.goTo'), icon: item.icon, run: () => go(item.href) })),
  )
  const app = t('palette.app')
  const isIn = account.status === 'in'
  return [
    ...(account.isIn ? nav : []),
    ...(account.admin ? [{ id: 'people', label: t('command.people'), group: t('palette.goTo'), icon: people, run: () => go('/people') }] : []),
    ...(account.isIn ? [{ id: 'account', label: t('command.account'), group: t('palette.goTo'), icon: person, run: () => go('/account') }] : []),
    { id: 'keys', label: t('command.keys'), group: app, icon: keyboard, run: () => (frame.isHelpOpen = true) },
    ...THEMES.filter((choice) => choice !== theme()).map((choice) => ({
      id: `theme.${choice}`,
      label: t('command.theme', { theme: t(`theme.${choice}`) }),
      group: app,
      icon: choice === 'dark' ? moon : sun,
      run: () => setTheme(choice),
    })),
    ...CHOICES.filter(({ value }) => value !== language()).map(({ value, label }) => ({
      id: `language.${value}`,
      label: t('command.language', { language: label }),
      // Whoever reads neither finds it by its own name.
      words: 'language langue',
      group: app,
      icon: globe,
      run: () => {
        speak(value)
          .then(() => (isIn ? account.change({ language: value }) : undefined))
          .catch((error: unknown) => report(error))
      },
    })),
    ...(isIn ? [{ id: 'sign-out', label: t('command.signOut'), group: app, icon: signOut, run: () => (frame.signingOut = true) }] : []),
  ]
}
