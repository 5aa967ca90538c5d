// The rows of one part's copy, as one tab knows them: what a transaction changes in them.
import * as Y from 'yjs'
import type { Platform } from '../platform.js'
import { ErrorCode } from '../wire/codes.js'
import { checksum, type CommandRow, type PartRow, type Transaction } from './database.js'
import type { Rescue } from './kept.js'
import type { Pending } from './pending.js'
import { deleteUpdates, fresh, own } from './rows.js'

/** Rows of one part that are squashed into one. */
const MANY_ROWS = 200

/** What became of a write: another tab has thrown the copy away, or it is written. */
export type Outcome = { readonly cleared: number } | { readonly life: number; readonly startedOver: boolean }

export class Writing {
  /** Which copy this tab knows, of those that followed each other; null: none yet. */
  life: number | null = null
  /** Of the part whose updates this tab shows; 0: not known. */
  incarnation = 0
  readonly #name: string
  readonly #platform: Platform
  readonly #everything: () => Uint8Array
  readonly #tab: string
  /** Rows in the database that this tab's document holds, with their sizes. */
  readonly #rows = new Map<number, number>()
  #adopted: { readonly [tab: string]: number } = {}

  /** `everything`: returns all that the tab's document holds, as an update. */
  constructor(name: string, platform: Platform, everything: () => Uint8Array) {
    this.#name = name
    this.#platform = platform
    this.#everything = everything
    this.#tab = Array.from(platform.bytes(8), (byte) => byte.toString(16).padStart(2, '0')).join('')
  }

  /** Whether there are so many rows that they should be squashed. */
  get crowded(): boolean {
    return this.#rows.size > MANY_ROWS
  }

  /** The document holds these rows now. */
  loaded(row: PartRow, updates: readonly (readonly [id: number, update: Uint8Array])[]): void {
    for (const [id, update] of updates) this.#rows.set(id, update.length)
    this.life = row.life
    this.incarnation = row.incarnation
    this.#adopted = row.dirty
  }

  /** The document holds none of the rows any more. */
  cleared(): void {
    this.incarnation = 0
    this.#rows.clear()
  }

  async write(at: Transaction, pending: Pending): Promise<Outcome> {
    const name = this.#name
    const row = await at.part(name)
    if (pending.forget) {
      await this.#forget(at, row)
      return { life: this.life ?? 0, startedOver: false }
    }
    const rescued = pending.startOver?.rescue ?? null
    let kept = row
    let startedOver = false
    if (row !== undefined && this.life !== null && row.life !== this.life) {
      if (rescued !== null) await at.add('rescues', { name, rescue: rescued })
      if (pending.startOver === null) return { cleared: row.life }
    } else if (row !== undefined && (pending.startOver !== null || this.#isOfAnotherLife(row))) {
      const rescue = rescued ?? (await this.#rescueOf(at, row))
      if (rescue !== null) await at.add('rescues', { name, rescue })
      await deleteUpdates(at, name)
      kept = { ...fresh(name, this.#newLife()), title: row.title }
      startedOver = true
    } else if (row === undefined && rescued !== null) {
      await at.add('rescues', { name, rescue: rescued })
    }
    if (kept !== undefined && !startedOver && this.life !== null) {
      // All is as this tab knows it: what waits is enough.
      await this.#add(at, kept, pending, pending.updates)
      return { life: kept.life, startedOver }
    }
    kept ??= fresh(name, this.#newLife())
    // The rows are not those that this tab counted on: everything it shows goes in.
    this.#rows.clear()
    const everything = this.#everything()
    await this.#add(at, kept, pending, everything.length > 2 ? [everything] : [])
    return { life: kept.life, startedOver }
  }

  /** Delete the copy, unless another tab has something in it that nobody else has. */
  async #forget(at: Transaction, row: PartRow | undefined): Promise<void> {
    const commands = await at.rows('commands', this.#name)
    if (row === undefined || Object.keys(row.dirty).length > 0 || commands.length > 0) return
    await deleteUpdates(at, this.#name)
    await at.deletePart(this.#name)
  }

  async #add(at: Transaction, row: PartRow, pending: Pending, updates: readonly Uint8Array[]): Promise<void> {
    const name = this.#name
    let { bytes } = row
    let rows = updates.length > 1 ? [Y.mergeUpdates([...updates])] : updates
    if (this.crowded) {
      for (const [id, size] of this.#rows) {
        await at.delete('updates', id)
        bytes -= size
      }
      this.#rows.clear()
      rows = [this.#everything()]
    }
    for (const each of rows) {
      const update = own(each)
      const id = await at.add('updates', { name, update, sum: checksum(update) })
      this.#rows.set(id, update.length)
      bytes += update.length
    }
    await this.#addCommands(at, pending)
    if (pending.dropRescue) {
      for (const [id, value] of await at.rows('rescues', name)) {
        if ((value as { rescue?: unknown }).rescue !== undefined) await at.delete('rescues', id)
      }
    }
    await at.putPart({
      ...row,
      ...(pending.standing ?? {}),
      title: pending.title ?? row.title,
      opened: this.#platform.date(),
      bytes: Math.max(0, bytes),
      dirty: this.#dirty(row, pending),
    })
  }

  async #addCommands(at: Transaction, { added, dropped }: Pending): Promise<void> {
    const name = this.#name
    for (const { id, name: command, body } of added) await at.add('commands', { name, id, command, body })
    if (dropped.size === 0) return
    for (const [key, value] of await at.rows('commands', name)) {
      if (dropped.has((value as CommandRow).id)) await at.delete('commands', key)
    }
  }

  #dirty(row: PartRow, pending: Pending): { readonly [tab: string]: number } {
    const dirty = { ...row.dirty }
    if (pending.edit > 0) dirty[this.#tab] = pending.edit
    if (pending.savedUpTo > 0) {
      if ((dirty[this.#tab] ?? 0) <= pending.savedUpTo) delete dirty[this.#tab]
      // What earlier tabs left behind was sent along, unless they have edited since.
      for (const [tab, edit] of Object.entries(this.#adopted)) if (dirty[tab] === edit) delete dirty[tab]
    }
    return dirty
  }

  #isOfAnotherLife(row: PartRow): boolean {
    return row.incarnation !== 0 && this.incarnation !== 0 && row.incarnation !== this.incarnation
  }

  /** What another tab left unsaved in a copy that goes, as far as it is kept. */
  async #rescueOf(at: Transaction, row: PartRow): Promise<Rescue | null> {
    if (Object.keys(row.dirty).every((tab) => tab === this.#tab)) return null
    const rows = await at.rows('updates', this.#name)
    const updates = rows.map(([, value]) => (value as { update: Uint8Array }).update)
    if (updates.length === 0) return null
    const reason = 'the copy on this device was started over'
    const date = this.#platform.date()
    return { update: Y.mergeUpdates(updates), incarnation: row.incarnation, code: ErrorCode.staleIncarnation, reason, date }
  }

  #newLife(): number {
    return Math.floor(this.#platform.random() * 2 ** 48) + 1
  }
}
