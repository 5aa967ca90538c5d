// What the documents bring to the app: pages, sidebar, commands, search. Loaded with the app, so small.
import { clock, fileText, people, plus, upload, bin } from '@ui/icons'
import type { Product } from '@shell/product'
import { t } from './words'

const docs: Product = {
  id: 'docs',
  messages: { en: () => import('./messages/en'), fr: () => import('./messages/fr') },
  nav: [
    { id: 'recent', label: () => t('nav.recent'), icon: clock, href: '/docs', here: ({ path, query }) => path === '/docs' && query.size === 0 },
    { id: 'mine', label: () => t('nav.mine'), icon: fileText, href: '/docs?view=mine', here: ({ path, query }) => path === '/docs' && query.get('view') === 'mine' },
    { id: 'shared', label: () => t('nav.shared'), icon: people, href: '/docs?view=shared', here: ({ path, query }) => path === '/docs' && query.get('view') === 'shared' },
    { id: 'bin', label: () => t('nav.bin'), icon: bin, href: '/docs?view=bin', here: ({ path, query }) => path === '/docs' && query.get('view') === 'bin' },
  ],
  routes: [
    { pattern: '/docs', load: () => import('./home/Home.svelte') },
    { pattern: '/docs/:key', load: () => import('./document/Page.svelte'), guests: true },
  ],
  panel: () => import('./home/Spaces.svelte'),
  commands: ({ go, user }) =>
    user === null
      ? []
      : [
          { id: 'docs.new', label: t('new.document'), group: t('nav.documents'), icon: plus, keys: 'mod+alt+n', run: () => void create() },
          { id: 'docs.import', label: t('import.command'), group: t('nav.documents'), icon: upload, run: () => go('/docs#import') },
        ],
  search: async (query, signal) => {
    const { searchDocuments } = await import('./api')
    const results = await searchDocuments(query, signal, 8)
    return results.map(({ document, text }) => ({
      id: `docs.${document.key}`,
      label: document.title || t('untitled'),
      hint: text.map((piece) => piece.text).join('') || undefined,
      icon: fileText,
      href: `/docs/${document.key}`,
    })).map(({ hint, ...rest }) => (hint === undefined ? rest : { ...rest, hint }))
  },
  home: '/docs',
  order: 1,
}

async function create(): Promise<void> {
  const { createAndOpen } = await import('./home/actions')
  await createAndOpen(null)
}

export default docs
