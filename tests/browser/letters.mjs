// Letters that a node without a mail server has written into its data folder.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The link to `path` (`/invite`) in the newest letter to `address`; waits until it is there. */
export async function linkIn(folder, address, path, seconds = 30) {
  const deadline = Date.now() + seconds * 1000
  const wanted = new RegExp(`https?://[^\\s"<>]+${path}#[\\w-]+`)
  for (;;) {
    for (const name of list(folder).reverse()) {
      const letter = readFileSync(join(folder, name), 'utf-8')
      if (!letter.includes(`To: ${address}`)) continue
      // Quoted-printable: soft line breaks, and bytes written as =3D.
      const plain = letter.replace(/=\r?\n/g, '').replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)))
      const link = wanted.exec(plain)
      if (link) return link[0]
    }
    if (Date.now() > deadline) throw new Error(`no letter to ${address} with a link to ${path} in ${folder}: ${list(folder)}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

function list(folder) {
  try {
    return readdirSync(folder).filter((name) => name.endsWith('.eml')).sort()
  } catch {
    return []
  }
}
