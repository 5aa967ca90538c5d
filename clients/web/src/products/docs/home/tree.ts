// Spaces as a tree: each below the one that it is in.
import type { Space } from '../api'

export interface Branch {
  readonly space: Space
  /** 0 at the top. */
  readonly depth: number
  readonly hasChildren: boolean
}

/** All spaces in the order of the tree. One whose parent nobody sees stands at the top. `without`: that space and those inside it are left out. */
export function treeOf(spaces: readonly Space[], without?: string): Branch[] {
  const known = new Set(spaces.map(({ id }) => id))
  const below = group(spaces, known)
  const branches: Branch[] = []
  const seen = new Set<string>()
  const walk = (parent: string | null, depth: number): void => {
    const children = [...(below.get(parent) ?? [])].sort((a, b) => a.name.localeCompare(b.name))
    for (const space of children) {
      if (space.id === without || seen.has(space.id)) continue
      seen.add(space.id)
      branches.push({ space, depth, hasChildren: (below.get(space.id)?.length ?? 0) > 0 })
      walk(space.id, depth + 1)
    }
  }
  walk(null, 0)
  return branches
}

const parentOf = (space: Space, known: ReadonlySet<string>): string | null => (space.parent !== null && known.has(space.parent) ? space.parent : null)

function group(spaces: readonly Space[], known: ReadonlySet<string>): Map<string | null, Space[]> {
  const groups = new Map<string | null, Space[]>()
  for (const space of spaces) {
    const parent = parentOf(space, known)
    const group = groups.get(parent)
    if (group === undefined) groups.set(parent, [space])
    else group.push(space)
  }
  return groups
}
