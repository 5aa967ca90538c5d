// One part's copy in IndexedDB, as one tab holds it: writes queue up and go in one transaction.
import * as Y from 'yjs'
import { DeviceError } from '../errors.js'
import { reportUncaught } from '../events.js'
import type { Platform } from '../platform.js'
import { checksum, Database, type CommandRow, type PartRow, type Transaction } from './database.js'
import type { Holder, Kept, Loaded, QueuedCommand, Rescue, Standing } from './kept.js'
import { evict } from './evict.js'
import { again, isNothing, nothing, type Pending } from './pending.js'
import { asCommand, deleteUpdates, fresh, own, soundUpdates } from './rows.js'
import { Tabs, type TabMessage } from './tabs.js'

/** Seconds that what others did may wait to be kept; own edits do not wait. */
const LAZY = 1
/** Seconds after which a write that failed is tried again. */
const RETRY = 30
/** Rows of one part that are squashed into one. */
const MANY_ROWS = 200

type Outcome = { readonly cleared: number } | { readonly life: number; readonly startedOver: boolean }

export class DeviceCopy implements Kept {
  readonly #scope: string
  readonly #name: string
  readonly #bound: number
  readonly #platform: Platform
  readonly #holder: Holder
  readonly #tabs: Tabs
  readonly #tab: string
  readonly #stopHiding: () => void
  /** Rows in the database that this tab's document holds, with their sizes. */
  readonly #rows = new Map<number, number>()
  #adopted: { readonly [tab: string]: number } = {}
  #database: Database | null = null
  #life: number | null = null
  #incarnation = 0
  #pending = nothing()
  #keptEdit = 0
  #flushing: Promise<void> | null = null
  #problem: DeviceError | null = null
  #stopTimer: (() => void) | null = null
  #loaded = false
  /** What tabs say is about a copy that this one is throwing away. */
  #deaf = false
  #closed = false

  /** `bound`: bytes that all copies of this user may take on this device, as far as they can be missed. */
  constructor(scope: string, name: string, bound: number, platform: Platform, holder: Holder) {
    this.#scope = scope
    this.#name = name
    this.#bound = bound
    this.#platform = platform
    this.#holder = holder
    this.#tab = Array.from(platform.bytes(8), (byte) => byte.toString(16).padStart(2, '0')).join('')
    this.#tabs = new Tabs(`parvis:${scope}:${name}`, (message) => this.#heard(message))
    this.#stopHiding = platform.onHide(() => void this.#flush())
  }

  get writing(): boolean {
    return this.#problem === null && (this.#flushing !== null || !this.#loaded)
  }

  keeps(edit: number): boolean {
    return this.#problem === null && this.#keptEdit >= edit && this.#pending.added.length === 0
  }

  async load(): Promise<Loaded | null> {
    try {
      this.#database = await Database.open(this.#scope)
      return await this.#read(this.#database)
    } catch (problem) {
      this.#problem = problem as DeviceError
      throw problem
    } finally {
      this.#loaded = true
      this.#platform.after(0, () => this.#greet())
    }
  }

  append(update: Uint8Array, edit: number): void {
    if (update.length > 0) this.#pending.updates.push(update)
    if (edit > 0) this.#pending.edit = edit
    this.#soon(edit > 0 ? 0 : LAZY)
  }

  show(update: Uint8Array, sent: boolean): void {
    if (!this.#closed) this.#tabs.post({ type: 'update', life: this.#life, update: own(update), sent })
  }

  allSaved(edit: number): void {
    this.#pending.savedUpTo = edit
    this.#soon(LAZY)
  }

  joined(standing: Standing): void {
    this.#pending.standing = standing
    this.#incarnation = standing.incarnation
    this.#soon(LAZY)
  }

  addCommand(command: QueuedCommand): void {
    this.#pending.added.push(command)
    this.#soon(0)
  }

  dropCommand(id: string): void {
    const { added, dropped } = this.#pending
    this.#pending.added = added.filter((command) => command.id !== id)
    dropped.add(id)
    this.#soon(0)
  }

  startOver(rescue: Rescue | null): void {
    const { added, dropped, title } = this.#pending
    this.#pending = { ...nothing(), added, dropped, title, startOver: { rescue } }
    this.#deaf = this.#database !== null
    this.#incarnation = 0
    this.#keptEdit = 0
    this.#rows.clear()
    this.#soon(0)
  }

  dropRescue(): void {
    this.#pending.dropRescue = true
    this.#soon(0)
  }

  describe(title: string): void {
    this.#pending.title = title
    this.#soon(LAZY)
  }

  forget(): void {
    this.#pending = { ...nothing(), forget: true }
    this.#soon(0)
  }

  async settled(): Promise<void> {
    await this.#flush()
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#stopHiding()
    void this.#flush().finally(() => {
      this.#stopTimer?.()
      this.#tabs.close()
    })
  }

  // Reading

  async #read(database: Database): Promise<Loaded | null> {
    const { row, updates, commands, rescues } = await database.run('readonly', async (at) => ({
      row: await at.part(this.#name),
      updates: await at.rows('updates', this.#name),
      commands: await at.rows('commands', this.#name),
      rescues: await at.rows('rescues', this.#name),
    }))
    const kept = rescues.map(([, value]) => (value as { rescue?: Rescue }).rescue)
    const rescue = kept.filter((each) => each !== undefined).pop() ?? null
    if (row === undefined) return null
    const sound = await soundUpdates(database, this.#name, updates)
    if (sound.damaged > 0) {
      const reason = `${this.#name}: ${sound.damaged} of ${updates.length} kept updates are damaged and were put aside`
      this.#holder.failed(new DeviceError('corrupt', reason))
    }
    for (const [id, update] of sound.updates) this.#rows.set(id, update.length)
    this.#life = row.life
    this.#incarnation = row.incarnation
    this.#adopted = row.dirty
    this.#platform.after(LAZY, () => void this.#flush())
    return {
      incarnation: row.incarnation,
      access: row.access,
      schema: row.schema,
      offset: row.offset,
      updates: sound.updates.map(([, update]) => update),
      unsaved: Object.keys(row.dirty).length > 0,
      commands: commands.map(([, value]) => asCommand(value as CommandRow)),
      rescue,
    }
  }

  // Writing

  #soon(seconds: number): void {
    if (seconds === 0) void this.#flush()
    else this.#stopTimer ??= this.#platform.after(seconds, () => {
      this.#stopTimer = null
      void this.#flush()
    })
  }

  /** Write what waits; returns when nothing waits any more, or it cannot be written. */
  #flush(): Promise<void> {
    if (!this.#loaded || this.#database === null) return Promise.resolve()
    this.#flushing ??= this.#writeAll(this.#database).finally(() => {
      this.#flushing = null
      this.#holder.keptChanged()
    })
    return this.#flushing
  }

  async #writeAll(database: Database): Promise<void> {
    this.#stopTimer?.()
    this.#stopTimer = null
    let evicted = false
    await Promise.resolve() // what this task still does goes along
    while (!isNothing(this.#pending) || this.#rows.size > MANY_ROWS) {
      const pending = this.#pending
      this.#pending = nothing()
      try {
        const outcome = await database.run('readwrite', (at) => this.#write(at, pending))
        if ('cleared' in outcome) {
          this.#clearedTo(outcome.cleared)
          return
        }
        this.#life = outcome.life
        if (this.#pending.startOver === null) this.#deaf = false
        if (outcome.startedOver) this.#tabs.post({ type: 'cleared', life: outcome.life })
        this.#keptEdit = Math.max(this.#keptEdit, pending.edit)
        this.#problem = null
      } catch (problem) {
        this.#pending = again(pending, this.#pending)
        const why = problem instanceof DeviceError ? problem : new DeviceError('failed', String(problem), { cause: problem })
        if (why.code === 'quota' && !evicted) {
          evicted = true
          if (await evict(database, 0, this.#name).catch(() => false)) continue
        }
        this.#couldNot(why)
        return
      }
    }
  }

  #couldNot(why: DeviceError): void {
    const news = this.#problem?.code !== why.code
    this.#problem = why
    if (this.#database?.dead === null) this.#soon(RETRY)
    if (news) this.#holder.failed(why)
  }

  async #write(at: Transaction, pending: Pending): Promise<Outcome> {
    const name = this.#name
    let row = await at.part(name)
    if (pending.forget) {
      const commands = await at.rows('commands', name)
      if (row !== undefined && Object.keys(row.dirty).length === 0 && commands.length === 0) {
        await deleteUpdates(at, name)
        await at.deletePart(name)
      }
      return { life: this.#life ?? 0, startedOver: false }
    }
    let startedOver = false
    if (row !== undefined && this.#life !== null && row.life !== this.#life) {
      if (pending.startOver?.rescue) await at.add('rescues', { name, rescue: pending.startOver.rescue })
      if (pending.startOver === null) return { cleared: row.life }
    } else if (row !== undefined && (pending.startOver !== null || this.#isOfAnotherLife(row))) {
      const rescue = pending.startOver?.rescue ?? (await this.#rescueOf(at, row))
      if (rescue !== null) await at.add('rescues', { name, rescue })
      await deleteUpdates(at, name)
      row = { ...fresh(name, this.#newLife()), title: row.title }
      startedOver = true
    } else if (row === undefined && pending.startOver?.rescue) {
      await at.add('rescues', { name, rescue: pending.startOver.rescue })
    }
    if (row === undefined) row = fresh(name, this.#newLife())
    else if (!startedOver && this.#life !== null) {
      // All is as this tab knows it: what waits is enough.
      return { life: row.life, startedOver: await this.#add(at, row, pending, pending.updates) }
    }
    // The rows are not those that this tab counted on: everything it shows goes in.
    this.#rows.clear()
    const everything = this.#holder.everything()
    await this.#add(at, row, pending, everything.length > 2 ? [everything] : [])
    return { life: row.life, startedOver }
  }

  /** Add updates and facts; always returns false, for it starts nothing over. */
  async #add(at: Transaction, row: PartRow, pending: Pending, updates: readonly Uint8Array[]): Promise<false> {
    const name = this.#name
    let { bytes } = row
    let rows = updates.length > 1 ? [Y.mergeUpdates([...updates])] : updates
    if (this.#rows.size > MANY_ROWS) {
      for (const [id, size] of this.#rows) {
        await at.delete('updates', id)
        bytes -= size
      }
      this.#rows.clear()
      rows = [this.#holder.everything()]
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
    return false
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
    return row.incarnation !== 0 && this.#incarnation !== 0 && row.incarnation !== this.#incarnation
  }

  /** What another tab left unsaved in a copy that goes, as far as it is kept. */
  async #rescueOf(at: Transaction, row: PartRow): Promise<Rescue | null> {
    if (Object.keys(row.dirty).every((tab) => tab === this.#tab)) return null
    const rows = await at.rows('updates', this.#name)
    const updates = rows.map(([, value]) => (value as { update: Uint8Array }).update)
    if (updates.length === 0) return null
    const reason = 'the copy on this device was started over'
    const date = this.#platform.date()
    return { update: Y.mergeUpdates(updates), incarnation: row.incarnation, code: 304, reason, date }
  }

  #newLife(): number {
    return Math.floor(this.#platform.random() * 2 ** 48) + 1
  }

  // Other tabs

  #greet(): void {
    if (this.#closed || this.#deaf) return
    this.#tabs.post({ type: 'hello', life: this.#life, state: this.#holder.stateVector() })
    if (this.#database !== null) {
      void evict(this.#database, this.#bound, this.#name).catch((problem: unknown) => {
        if (!(problem instanceof DeviceError)) reportUncaught(problem)
      })
    }
  }

  #heard(message: TabMessage): void {
    // A tab that is still loading says hello afterwards.
    if (this.#closed || this.#deaf || !this.#loaded) return
    if (message.type === 'cleared') {
      if (message.life !== this.#life) this.#clearedTo(message.life)
      return
    }
    if (message.life !== null && this.#life !== null && message.life !== this.#life) return
    if (message.type === 'update') return this.#holder.edited(message.update, message.sent)
    const update = this.#holder.lackedBy(message.state)
    if (update !== null) this.#tabs.post({ type: 'update', life: this.#life, update, sent: this.#holder.sending() })
  }

  #clearedTo(life: number): void {
    this.#life = life
    this.#deaf = false
    this.#incarnation = 0
    this.#pending = { ...nothing(), added: this.#pending.added, dropped: this.#pending.dropped }
    this.#keptEdit = 0
    this.#rows.clear()
    this.#holder.cleared()
  }
}
