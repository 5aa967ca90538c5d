// A node as it will be with the next version of the app: a proxy that changes what makes up a version.
import { createServer, request as forward } from 'node:http'
import { connect } from 'node:net'

/** What the next version is called. */
export const NEXT = 'bbbbbbbbbbbb'

/** Passes everything on to the node at `url`, as it is; once `isNew` is set, the app of a next version. */
export async function between(url) {
  const node = new URL(url)
  const proxy = { isNew: false, address: '', close: () => undefined }
  const renewed = {
    '/sw.js': (text) => text.replace(/"[0-9a-f]{12}"/, `"${NEXT}"`),
    '/': (text) => text.replace('<head>', '<head><meta name="generation" content="next">'),
  }
  const server = createServer((request, response) => {
    const change = proxy.isNew ? renewed[request.url] : undefined
    const headers = { ...request.headers }
    if (change) {
      headers['accept-encoding'] = 'identity'
      // Of the version before: what is asked for has changed.
      delete headers['if-none-match']
      delete headers['if-modified-since']
    }
    // Each with a connection of its own: one kept for the next request may be closed just when that comes.
    request.pipe(
      forward({ host: node.hostname, port: node.port, path: request.url, method: request.method, headers, agent: false }, async (answer) => {
        if (!change) {
          response.writeHead(answer.statusCode, answer.headers)
          answer.pipe(response)
          return
        }
        const chunks = []
        for await (const chunk of answer) chunks.push(chunk)
        const body = Buffer.from(change(Buffer.concat(chunks).toString()))
        response.writeHead(answer.statusCode, { ...answer.headers, 'content-length': body.length, etag: '"next"' })
        response.end(body)
      }).on('error', () => response.destroy()),
    )
  })
  server.on('upgrade', (request, socket) => {
    const upstream = connect(Number(node.port), node.hostname, () => {
      const lines = Array.from({ length: request.rawHeaders.length / 2 }, (_, at) => `${request.rawHeaders[at * 2]}: ${request.rawHeaders[at * 2 + 1]}`)
      upstream.write(`GET ${request.url} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`)
      upstream.pipe(socket).pipe(upstream)
    })
    for (const end of [socket, upstream]) end.on('error', () => (socket.destroy(), upstream.destroy()))
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  proxy.address = `http://127.0.0.1:${server.address().port}`
  proxy.close = () => (server.closeAllConnections(), server.close())
  return proxy
}
