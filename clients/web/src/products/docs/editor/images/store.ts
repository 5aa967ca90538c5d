// The pictures of a document: asked for once per hash, and told again after a failure.

export interface Images {
  /** The address to show for a hash; rejects if it cannot be had now. */
  address(hash: string): Promise<string>
  /** Forgets a failure, so that the next `address` asks again. */
  again(hash: string): void
  /** An image that is not here yet: `bring` stores it before it is asked for, unless it is shown already. */
  expect(hash: string, bring: () => Promise<void>): void
}

export function images(ask: (hash: string) => Promise<string>): Images {
  const known = new Map<string, Promise<string>>()
  const expected = new Map<string, () => Promise<void>>()
  const find = async (hash: string): Promise<string> => {
    await expected.get(hash)?.()
    expected.delete(hash)
    const url = await ask(hash)
    if (!isPicture(url)) throw new Error(`not an address of a picture: ${url.slice(0, 40)}`)
    return url
  }
  return {
    address(hash) {
      const address = known.get(hash) ?? find(hash)
      known.set(hash, address)
      return address
    },
    again: (hash) => void known.delete(hash),
    expect(hash, bring) {
      if (!known.has(hash)) expected.set(hash, bring)
    },
  }
}

/** Nothing but what this page or its server made. */
function isPicture(url: string): boolean {
  return url.startsWith('blob:') || /^\/(?!\/)/.test(url) || (URL.canParse(url) && new URL(url).origin === location.origin)
}
