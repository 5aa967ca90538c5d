// Finding the page's own elements.

/** The element `id`, which index.html promises to be a `kind`. */
export function byId<Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind {
  const node = document.getElementById(id)
  if (!(node instanceof kind)) throw new Error(`index.html: expected #${id} to be a ${kind.name}`)
  return node
}
