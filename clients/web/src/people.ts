// Who is here: faces in the bar, names in the panel, taken from awareness.
import type { Awareness } from 'y-protocols/awareness'
import { say } from './words'

interface Present {
  id: string
  name: string
  color: string
  self: boolean
}

/** Whether the page is as narrow as a phone: the same measure as in style.css. */
export const narrow = matchMedia('(max-width: 44rem)')
/** White text on each of these has a contrast of at least 4.6; each stands out on the dark page. */
const COLORS = ['#ba5751', '#b45e26', '#897412', '#37843d', '#1b8278', '#1a7caa', '#5072c2', '#8564b9', '#ae578b']

/** A colour for somebody who has none yet, unlike those in `taken` while there are others. */
export function drawColor(taken: string[] = []): string {
  const free = COLORS.filter((color) => !taken.includes(color))
  const choice = free.length > 0 ? free : COLORS
  const [byte = 0] = crypto.getRandomValues(new Uint8Array(1))
  return choice[byte % choice.length] as string
}

/** The others' colours, if this client must yield `color` (the smaller id keeps it); else null. */
export function clash(awareness: Awareness, color: string): string[] | null {
  const others = Array.from(awareness.getStates()).filter(([client]) => client !== awareness.clientID)
  const colorOf = (state: Record<string, unknown>) => fit((state['user'] as { color?: unknown } | undefined)?.color)
  const yields = others.some(([client, state]) => client < awareness.clientID && colorOf(state) === color)
  return yields ? others.map(([, state]) => colorOf(state)) : null
}

/** A colour fit for the page: others' states are their words, not ours. */
function fit(color: unknown): string {
  return typeof color === 'string' && /^#[0-9a-f]{6}$/i.test(color) ? color : '#6b6f76'
}

/** Everyone in `awareness`, the reader first, then by name; a user with several tabs counts once. */
export function present(awareness: Awareness): Present[] {
  const everyone = Array.from(awareness.getStates(), ([client, state]): Present => {
    const user = (state['user'] ?? {}) as { id?: unknown; name?: unknown; color?: unknown }
    const id = typeof user.id === 'string' && user.id ? user.id : `client ${client}`
    const name = typeof user.name === 'string' && user.name.trim() ? user.name : say('guest')
    return { id, name, color: fit(user.color), self: client === awareness.clientID }
  })
  everyone.sort((a, b) => Number(b.self) - Number(a.self) || a.name.localeCompare(b.name) || a.id.localeCompare(b.id))
  return everyone.filter((person, at) => everyone.findIndex(({ id }) => id === person.id) === at)
}

/** Paints the faces into `button` and the names into `list`. */
export function paintPeople(awareness: Awareness, button: HTMLElement, list: HTMLElement): void {
  const everyone = present(awareness)
  const faces = everyone.slice(0, narrow.matches ? 2 : 4).map((person) => face(person))
  const hidden = everyone.length - faces.length
  if (hidden > 0) faces.push(span('face more', `+${hidden}`))
  button.replaceChildren(...faces)
  const label = everyone.length === 1 ? say('onePerson') : say('manyPeople', { n: everyone.length })
  button.setAttribute('aria-label', label)
  button.title = label
  list.replaceChildren(
    ...everyone.map((person) => {
      const item = document.createElement('li')
      item.append(face(person), span('who', person.name))
      if (person.self) item.append(span('self', say('you')))
      return item
    }),
  )
}

function face(person: Present): HTMLElement {
  const circle = span('face', initials(person.name))
  circle.style.setProperty('--person', person.color)
  circle.setAttribute('aria-hidden', 'true')
  return circle
}

function initials(name: string): string {
  const words = name.split(/\s+/).filter((word) => /^\p{L}/u.test(word))
  const letters = words.length > 1 ? [words[0], words.at(-1)] : [words[0]]
  return letters.map((word) => Array.from(word ?? '')[0] ?? '').join('').toLocaleUpperCase()
}

function span(name: string, text: string): HTMLElement {
  const node = document.createElement('span')
  node.className = name
  node.textContent = text
  return node
}
