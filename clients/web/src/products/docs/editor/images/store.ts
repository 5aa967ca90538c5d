// The pictures of a document: asked for once per hash, and told again after a failure.

export interface Images {
  /** The address to show for a hash; rejects if it cannot be had now. */
  address(hash: string): Promise<string>
  /** Forgets a failure, so that the next `address` asks again. */
  again(hash: string): void
}

export function images(ask: (hash: string) => Promise<string>): Images {
  const known = new Map<string, Promise<string>>()
  return {
    address(hash) {
      let address = known.get(hash)
      if (address === undefined) {
        address = ask(hash).then((url) => {
          if (!isPicture(url)) throw new Error(`not an address of a picture: ${url.slice(0, 40)}`)
          return url
        })
        known.set(hash, address)
      }
      return address
    },
    again: (hash) => void known.delete(hash),
  }
}

/** Nothing but what this page or its server made. */
function isPicture(url: string): boolean {
  return url.startsWith('blob:') || /^\/(?!\/)/.test(url) || (URL.canParse(url) && new URL(url).origin === location.origin)
}
