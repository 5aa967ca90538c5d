// Who is here: faces in the bar, names in the panel, taken from awareness.
import type { Awareness } from 'y-protocols/awareness'
import { fitColor, paintIn } from './colors'
import { say } from './words'

const MOST_LETTERS = 100

interface Present {
  id: string
  name: string
  color: string
  self: boolean
}

/** Whether the page is as narrow as a phone: the same measure as in style.css. */
export const narrow = matchMedia('(max-width: 44rem)')

/** The others' colours, if this client must yield `color` (the smaller id keeps it); else null. */
export function clash(awareness: Awareness, color: string): string[] | null {
  const others = Array.from(awareness.getStates()).filter(([client]) => client !== awareness.clientID)
  const colorOf = (state: Record<string, unknown>) => fitColor((state['user'] as { color?: unknown } | undefined)?.color)
  const yields = others.some(([client, state]) => client < awareness.clientID && colorOf(state) === color)
  return yields ? others.map(([, state]) => colorOf(state)) : null
}

/** The name in an awareness state, cut to what a person's name can need. */
export function nameOf(state: Record<string, unknown>): string {
  const name = (state['user'] as { name?: unknown } | undefined)?.name
  return typeof name === 'string' && name.trim() ? name.trim().slice(0, MOST_LETTERS) : say('guest')
}

/** Everyone in `awareness`, the reader first, then by name; a user with several tabs counts once. */
export function present(awareness: Awareness): Present[] {
  const everyone = Array.from(awareness.getStates(), ([client, state]): Present => {
    const user = (state['user'] ?? {}) as { id?: unknown; color?: unknown }
    const id = typeof user.id === 'string' && user.id ? user.id : `client ${client}`
    return { id, name: nameOf(state), color: fitColor(user.color), self: client === awareness.clientID }
  })
  everyone.sort((a, b) => Number(b.self) - Number(a.self) || a.name.localeCompare(b.name) || a.id.localeCompare(b.id))
  return everyone.filter((person, at) => everyone.findIndex(({ id }) => id === person.id) === at)
}

/** Paints the faces into `button` and the names into `list`. */
export function paintPeople(awareness: Awareness, button: HTMLElement, list: HTMLElement): void {
  const everyone = present(awareness)
  const places = narrow.matches ? 2 : 5
  const faces = everyone.slice(0, everyone.length > places ? places - 1 : places).map((person) => face(person))
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
  paintIn(person.color, circle)
  circle.setAttribute('aria-hidden', 'true')
  return circle
}

function initials(name: string): string {
  const words = name.split(/\s+/).filter((word) => /^[\p{L}\p{N}]/u.test(word))
  const letters = words.length > 1 ? [words[0], words.at(-1)] : [words[0]]
  return letters.map((word) => Array.from(word ?? '')[0] ?? '').join('').toLocaleUpperCase()
}

function span(name: string, text: string): HTMLElement {
  const node = document.createElement('span')
  node.className = name
  node.textContent = text
  return node
}
