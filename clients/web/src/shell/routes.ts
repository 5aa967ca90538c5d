// Every route of the app: the shell's own pages and those of the products.
import { match, type Params } from './pattern'
import type { Product, Route } from './product'

/** The shell's pages. They stand before the products': none may take the sign-in page away. */
const OWN: readonly Route[] = [
  { pattern: '/setup', load: () => import('./pages/Setup.svelte'), guests: true, bare: true },
  { pattern: '/sign-in', load: () => import('./pages/SignIn.svelte'), guests: true, bare: true },
  { pattern: '/invite', load: () => import('./pages/Invite.svelte'), guests: true, bare: true },
  { pattern: '/forgot', load: () => import('./pages/Forgot.svelte'), guests: true, bare: true },
  { pattern: '/reset', load: () => import('./pages/Reset.svelte'), guests: true, bare: true },
  { pattern: '/account', load: () => import('./pages/Account.svelte') },
  { pattern: '/people', load: () => import('./pages/People.svelte') },
]

export interface Found {
  readonly route: Route
  readonly params: Params
}

/** The route of `path` and its parameters; null if nobody has it. */
export function find(path: string, products: readonly Product[]): Found | null {
  for (const route of [...OWN, ...products.flatMap((product) => product.routes)]) {
    const params = match(route.pattern, path)
    if (params) return { route, params }
  }
  return null
}

/** Where `/` leads: to the first product that has a home. */
export function homeOf(products: readonly Product[]): string | null {
  return products.find((product) => product.home)?.home ?? null
}
