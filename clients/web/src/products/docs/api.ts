// The HTTP API of documents, typed. Every call throws `Refusal` where the server says no.
import { api, send } from '@shell/api'

export type Role = 'owner' | 'editor' | 'commenter' | 'viewer'
export type LinkRole = Exclude<Role, 'owner'>
export type Capability = 'view' | 'comment' | 'suggest' | 'edit' | 'history' | 'share' | 'admin'
/** What a file can be made of a document. */
export type Format = 'markdown' | 'html' | 'text' | 'pdf' | 'json'
export type View = 'recent' | 'mine' | 'shared' | 'bin' | 'space'

export interface Who {
  readonly id: string
  readonly name: string
  readonly color: string
  readonly email?: string
  /** Has no account, and chose this name. */
  readonly guest?: boolean
}

/** A document as lists show it. Times are seconds since 1970. */
export interface Doc {
  readonly key: string
  readonly title: string
  readonly role: Role
  readonly capabilities: readonly string[]
  readonly owner: Who
  readonly space: string | null
  readonly created: number
  readonly updated: number
  readonly updated_by: Who | null
  readonly opened: number | null
  readonly deleted: number | null
  readonly shared: boolean
  readonly excerpt: string
}

export interface Space {
  readonly id: string
  readonly name: string
  readonly parent: string | null
  readonly role: Role
  readonly owner: Who
  readonly documents: number
  readonly shared: boolean
}

/** A piece of a text in which words were found. */
export interface Piece {
  readonly text: string
  readonly hit: boolean
}

export interface Result {
  readonly document: Doc
  readonly title: readonly Piece[]
  readonly text: readonly Piece[]
}

export interface Link {
  readonly id: string
  readonly role: LinkRole
  /** Seconds since 1970; null: never. */
  readonly expires: number | null
  readonly created: number
  readonly by: Who
  /** Only in the answer that made it. */
  readonly secret?: string
  /** Lets nobody in while whoever made it may not share. */
  readonly stopped?: boolean
}

export interface Sharing {
  readonly people: readonly { readonly user: Who; readonly role: Role; readonly inherited: boolean }[]
  readonly invited: readonly { readonly email: string; readonly role: Role }[]
  readonly links: readonly Link[]
  readonly editors_share: boolean
  /** In the answer that took somebody's role away: their links that ended with it. */
  readonly links_ended?: number
}

/** A stretch of changes by the same people, without a long pause: from offset `from` to `to`. */
export interface Entry {
  readonly from: number
  readonly to: number
  readonly start: number
  readonly end: number
  readonly authors: readonly Who[]
  readonly updates: number
}

export interface Guest {
  readonly id: string
  readonly name: string
  readonly color: string
  readonly guest?: boolean
}

export interface StoredFile {
  readonly hash: string
  readonly type: string
  readonly size: number
  readonly width: number
  readonly height: number
}

const one = (key: string): string => `docs/documents/${encodeURIComponent(key)}`
/** What is shared: a document or a space. */
export interface Shareable {
  readonly kind: 'document' | 'space'
  readonly id: string
}
const placeOf = ({ kind, id }: Shareable): string => (kind === 'space' ? `docs/spaces/${encodeURIComponent(id)}` : one(id))

export const listDocuments = (view: View, { space, after, signal }: { space?: string; after?: string; signal?: AbortSignal } = {}) =>
  api.get<{ documents: Doc[]; next: string | null }>('docs/documents', { view, space, after }, signal ? { signal } : {})

export const createDocument = async (what: { title?: string; space?: string | null } = {}): Promise<Doc> =>
  (await api.post<{ document: Doc }>('docs/documents', what)).document

export const showDocument = async (key: string, token?: string): Promise<Doc> =>
  (await api.get<{ document: Doc }>(one(key), {}, { token })).document

export const changeDocument = async (key: string, what: { title?: string; space?: string | null; editors_share?: boolean }): Promise<Doc> =>
  (await api.patch<{ document: Doc }>(one(key), what)).document

export const duplicateDocument = async (key: string, title: string): Promise<Doc> =>
  (await api.post<{ document: Doc }>(`${one(key)}/duplicate`, { title })).document

export const binDocument = async (key: string): Promise<Doc> => (await api.post<{ document: Doc }>(`${one(key)}/bin`)).document
export const restoreDocument = async (key: string): Promise<Doc> => (await api.post<{ document: Doc }>(`${one(key)}/restore`)).document
export const deleteDocument = (key: string): Promise<void> => api.delete(one(key))

/** Makes a document of a file; its name says what it is. */
export async function importFile(file: File, space: string | null, signal: AbortSignal): Promise<Doc> {
  const response = await send('POST', 'docs/import', {
    body: file, query: { name: file.name, space: space ?? undefined }, signal, type: file.type || 'application/octet-stream',
  })
  return ((await response.json()) as { document: Doc }).document
}

export const searchDocuments = async (q: string, signal?: AbortSignal, limit = 30): Promise<Result[]> =>
  (await api.get<{ results: Result[] }>('docs/search', { q, limit }, signal ? { signal } : {})).results

export const listSpaces = async (): Promise<Space[]> => (await api.get<{ spaces: Space[] }>('docs/spaces')).spaces
export const createSpace = async (name: string, parent: string | null): Promise<Space> =>
  (await api.post<{ space: Space }>('docs/spaces', { name, parent })).space
export const changeSpace = async (id: string, what: { name?: string; parent?: string | null }): Promise<Space> =>
  (await api.patch<{ space: Space }>(`docs/spaces/${encodeURIComponent(id)}`, what)).space
export const deleteSpace = (id: string): Promise<void> => api.delete(`docs/spaces/${encodeURIComponent(id)}`)

export const showSharing = (of: Shareable): Promise<Sharing> => api.get<Sharing>(`${placeOf(of)}/sharing`)
export const giveRole = (of: Shareable, who: { user: string } | { email: string }, role: Role, message = ''): Promise<Sharing> =>
  api.put<Sharing>(`${placeOf(of)}/people`, { ...who, role, message })
/** Undefined if one has left oneself. */
export const takeRole = (of: Shareable, who: string): Promise<Sharing | undefined> =>
  api.delete<Sharing | undefined>(`${placeOf(of)}/people/${encodeURIComponent(who)}`)
/** Makes somebody the owner of a document; the one before becomes an editor. */
export const handOver = async (key: string, user: string): Promise<Doc> => (await api.post<{ document: Doc }>(`${one(key)}/owner`, { user })).document
export const makeLink = async (key: string, role: LinkRole, expires: number | null): Promise<Link> =>
  (await api.post<{ link: Link }>(`${one(key)}/links`, { role, expires })).link
export const changeLink = async (key: string, id: string, what: { role?: LinkRole; expires?: number | null; adopt?: true }): Promise<Link> =>
  (await api.patch<{ link: Link }>(`${one(key)}/links/${encodeURIComponent(id)}`, what)).link
export const endLink = (key: string, id: string): Promise<void> => api.delete(`${one(key)}/links/${encodeURIComponent(id)}`)

/** Enters by a link. Members get the document; strangers a name and a token for it, too. */
export const openLink = (key: string, secret: string, name = '') =>
  api.post<{ document: Doc; guest?: Guest; token?: string; expires_in?: number }>('docs/links/open', { key, secret, name })

/** Everybody with an account, for invitations. */
export const findPeople = async (q: string, signal?: AbortSignal): Promise<Who[]> =>
  (await api.get<{ people: Who[] }>('people', { q, limit: 8 }, signal ? { signal } : {})).people
/** Those who may be mentioned in a document. */
export const mentionable = async (key: string, q: string, token?: string): Promise<Who[]> =>
  (await api.get<{ people: Who[] }>(`${one(key)}/people`, { q }, { token })).people

export async function uploadFile(key: string, file: Blob, signal: AbortSignal, token?: string): Promise<StoredFile> {
  const response = await send('POST', `${one(key)}/files`, { body: file, signal, token, type: file.type || 'application/octet-stream' })
  return ((await response.json()) as { file: StoredFile }).file
}
export const fetchFile = (key: string, hash: string, token?: string): Promise<Response> =>
  send('GET', `${one(key)}/files/${encodeURIComponent(hash)}`, { token })

export const listHistory = (key: string, before?: string, token?: string) =>
  api.get<{ entries: Entry[]; next: string | null }>(`${one(key)}/history`, { before, limit: 50 }, { token })
/** The content as it was at `offset`: a Yjs update. */
export async function contentAt(key: string, offset: number, signal: AbortSignal, token?: string): Promise<Uint8Array> {
  const response = await send('GET', `${one(key)}/history/${offset}`, { signal, token })
  return new Uint8Array(await response.arrayBuffer())
}
/** The document as a file. */
export const downloadContent = (key: string, format: Format, offset?: number, token?: string): Promise<Response> =>
  send('GET', `${one(key)}/content`, { query: { format, offset }, token })
