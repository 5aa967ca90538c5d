// What this version of the editor does not know, as an error.

export type ForeignKind = 'node' | 'mark' | 'attribute' | 'content'

/**
 * Says that the shared content holds something the schema has no place for. Whoever reads stops
 * then and changes nothing: what we cannot show may be dear to somebody with a newer version.
 */
export class Foreign extends Error {
  readonly what: ForeignKind
  readonly found: string

  constructor(what: ForeignKind, found: string) {
    super(`foreign ${what}: ${found}`)
    this.name = 'Foreign'
    this.what = what
    this.found = found
  }
}
