// What a product tells the shell about itself. The shell knows none by name: it takes the default
// export of every `products/<id>/product.ts`.
import type { Language, Messages } from '@i18n'
import type { Component } from 'svelte'

/** A page, loaded when somebody first goes there. Its component gets `PageProps`. */
export interface Route {
  /** `/docs/:key`; `:name` stands for one segment, `*name` at the end for the rest. */
  readonly pattern: string
  load(): Promise<{ default: Component<PageProps> | Component }>
  /** Also for people who are not signed in; otherwise they get to sign in first. */
  readonly guests?: boolean
  /** Without the sidebar and its bars: the page fills the window. */
  readonly bare?: boolean
}

/** What every page gets. `params` are decoded; a change of them keeps the component of the same route. */
export interface PageProps {
  readonly params: Readonly<Record<string, string>>
}

/** A line of the sidebar. */
export interface NavItem {
  readonly id: string
  /** In the present language: reads `t`. */
  label(): string
  /** Path data, see `@ui/icons`. */
  readonly icon: string
  readonly href: string
  /** Is it where the reader is? Without it: when the path is `href`. */
  here?(at: { readonly path: string; readonly query: URLSearchParams }): boolean
}

/** Something to do, offered in the palette and, with `keys`, by the keyboard. */
export interface Command {
  /** `docs.new`; one with an id seen before replaces it. */
  readonly id: string
  readonly label: string
  /** Over the group of commands it belongs to. */
  readonly group?: string
  /** More words by which it is found. */
  readonly words?: string
  readonly icon?: string
  /** `mod+shift+n`; `mod` is ⌘ or Ctrl. Works anywhere, also while writing, so: with `mod` or `alt`. */
  readonly keys?: string
  run(): void
}

/** One finding of a product's search, for the palette. */
export interface Found {
  readonly id: string
  readonly label: string
  /** A smaller line below: where it is, or the words around. */
  readonly hint?: string
  readonly icon?: string
  readonly href: string
}

/** What a product may ask of the shell. */
export interface Context {
  /** Goes to an address of the app. */
  go(href: string): void
  /** Who is signed in; null for guests. */
  readonly user: { readonly id: string; readonly name: string; readonly admin: boolean } | null
}

export interface Product {
  /** `docs`: the folder's name and the scope of its messages. */
  readonly id: string
  readonly messages: Readonly<Record<Language, () => Promise<{ default: Messages }>>>
  readonly nav: readonly NavItem[]
  readonly routes: readonly Route[]
  /** More of the sidebar, below `nav`: folders, channels. Shown to whoever is signed in. */
  panel?(): Promise<{ default: Component }>
  /** Read each time the palette opens or a key is pressed. */
  commands?(context: Context): readonly Command[]
  /** What matches `query`, best first. Aborted when the reader types on. Rejects if it cannot tell. */
  search?(query: string, signal: AbortSignal): Promise<readonly Found[]>
  /** Where `/` leads; of several products the first by `order`. */
  readonly home?: string
  /** Its place among the products: small ones come first. */
  readonly order?: number
}
