// Patterns of addresses: `/docs/:key`, `/files/*path`.

export type Params = Readonly<Record<string, string>>

/** The parameters of `path` if it fits `pattern`, decoded; null if not, or if it cannot be decoded. */
export function match(pattern: string, path: string): Params | null {
  const wanted = segments(pattern)
  const given = segments(path)
  const params: Record<string, string> = {}
  for (const [at, part] of wanted.entries()) {
    if (part.startsWith('*')) {
      const rest = decode(given.slice(at).join('/'))
      return rest === null || rest === '' ? null : { ...params, [part.slice(1)]: rest }
    }
    const segment = given[at]
    if (segment === undefined) return null
    if (part.startsWith(':')) {
      const value = decode(segment)
      if (value === null) return null
      params[part.slice(1)] = value
    } else if (part !== segment) {
      return null
    }
  }
  return given.length === wanted.length ? params : null
}

function segments(path: string): string[] {
  return path.split('/').filter((segment) => segment !== '')
}

function decode(segment: string): string | null {
  try {
    return decodeURIComponent(segment)
  } catch {
    return null
  }
}

/** `asked`, a path of this app, as a whole address. `/` for every other, however disguised. */
export function inside(asked: string, here: string = location.origin): string {
  try {
    // As the browser reads it: it drops tabs and line ends, and takes a backslash for a slash. Whole,
    // because the path of `/.//example.org` is `//example.org`.
    const url = new URL(asked, here)
    return asked.startsWith('/') && url.origin === here ? url.href : '/'
  } catch {
    return '/'
  }
}
