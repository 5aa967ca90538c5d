// Anchors of comments that had to be found again are written back, by one of those who may edit.
import { report } from '@shell/refusals'
import type { Comments } from '../comments/threads.svelte'
import { t } from '../words'
import type { OpenDocument } from './open.svelte'

/** Milliseconds until an anchor is written that this client's own change has moved. */
const OWN = 400
/** The same for what somebody else has moved, who mostly writes it themselves by then. */
const OTHERS = 2000

/**
 * Returns what is to be called when the places of comments have been found. To be used where a component begins.
 *
 * What this client's own changes moved it writes back soon. The rest is written by the lowest client of
 * those here who may edit, if nobody else has: awareness tells who that is.
 */
export function useMending(open: OpenDocument, comments: Comments): () => void {
  const timers = new Map<string, number>()
  $effect(() => {
    const [awareness, mine] = [open.content?.awareness, open.writable]
    if (open.doc !== null) awareness?.setLocalStateField('edits', mine)
  })
  $effect(() => () => timers.forEach((timer) => clearTimeout(timer)))

  function isLowest(): boolean {
    const awareness = open.content?.awareness
    if (awareness === undefined) return false
    const edits = ({ client }: { client: number }): boolean => (awareness.getStates().get(client) as { edits?: unknown } | undefined)?.edits === true
    return awareness.clientID === Math.min(...open.people.filter(edits).map(({ client }) => client))
  }

  return () => {
    if (!open.writable) return
    for (const { id, state, anchor, own } of comments.places.values()) {
      if (state !== 'repaired' || anchor?.a == null || id === 'draft') continue
      clearTimeout(timers.get(id))
      const write = (): void => {
        timers.delete(id)
        if (!open.writable || (own !== true && !isLowest())) return
        comments.repair(id, anchor).catch((error: unknown) => report(error, t('comment.failed')))
      }
      timers.set(id, window.setTimeout(write, own === true ? OWN : OTHERS))
    }
  }
}
