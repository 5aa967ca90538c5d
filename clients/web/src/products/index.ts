// Finds the products: every `products/<id>/product.ts`.
import type { Product } from '@shell/product'

const found = import.meta.glob<{ default: Product }>('./*/product.ts', { eager: true })

/** Every product, in the order of the sidebar. */
export const products: readonly Product[] = Object.values(found)
  .map((file) => file.default)
  .sort((a, b) => (a.order ?? 0) - (b.order ?? 0) || a.id.localeCompare(b.id))
