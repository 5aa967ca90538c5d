// One part's copy in IndexedDB, as one tab holds it: writes queue up and go in one transaction.
import { DeviceError } from '../errors.js'
import { reportUncaught } from '../events.js'
import type { Platform } from '../platform.js'
import { Database, type CommandRow } from './database.js'
import type { Holder, Kept, Loaded, QueuedCommand, Rescue, Standing } from './kept.js'
import { evict } from './evict.js'
import { again, isNothing, nothing } from './pending.js'
import { asCommand, own, soundUpdates } from './rows.js'
import { Tabs, type TabMessage } from './tabs.js'
import { Writing } from './writing.js'

/** Seconds that what others did may wait to be kept; own edits do not wait. */
const LAZY = 1
/** Seconds after which a write that failed is tried again. */
const RETRY = 30

export class DeviceCopy implements Kept {
  readonly #scope: string
  readonly #name: string
  readonly #bound: number
  readonly #platform: Platform
  readonly #holder: Holder
  readonly #tabs: Tabs
  readonly #writing: Writing
  readonly #stopHiding: () => void
  #database: Database | null = null
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
    this.#writing = new Writing(name, platform, () => holder.everything())
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
    if (!this.#closed) this.#tabs.post({ type: 'update', life: this.#writing.life, update: own(update), sent })
  }

  allSaved(edit: number): void {
    this.#pending.savedUpTo = edit
    this.#soon(LAZY)
  }

  joined(standing: Standing): void {
    this.#pending.standing = standing
    this.#writing.incarnation = standing.incarnation
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
    this.#writing.cleared()
    this.#keptEdit = 0
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
    this.#writing.loaded(row, sound.updates)
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
    while (!isNothing(this.#pending) || this.#writing.crowded) {
      const pending = this.#pending
      this.#pending = nothing()
      try {
        const outcome = await database.run('readwrite', (at) => this.#writing.write(at, pending))
        if ('cleared' in outcome) {
          this.#clearedTo(outcome.cleared)
          return
        }
        this.#writing.life = outcome.life
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

  // Other tabs

  #greet(): void {
    if (this.#closed || this.#deaf) return
    this.#tabs.post({ type: 'hello', life: this.#writing.life, state: this.#holder.stateVector() })
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
      if (message.life !== this.#writing.life) this.#clearedTo(message.life)
      return
    }
    if (message.life !== null && this.#writing.life !== null && message.life !== this.#writing.life) return
    if (message.type === 'update') return this.#holder.edited(message.update, message.sent)
    const update = this.#holder.lackedBy(message.state)
    if (update !== null) this.#tabs.post({ type: 'update', life: this.#writing.life, update, sent: this.#holder.sending() })
  }

  #clearedTo(life: number): void {
    this.#writing.life = life
    this.#writing.cleared()
    this.#deaf = false
    this.#pending = { ...nothing(), added: this.#pending.added, dropped: this.#pending.dropped }
    this.#keptEdit = 0
    this.#holder.cleared()
  }
}
