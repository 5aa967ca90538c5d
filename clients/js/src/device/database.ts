// The IndexedDB database of one user on this device: what stands where, and what can go wrong.
import { DeviceError, type DeviceProblem } from '../errors.js'

/** What is kept of a part, beside its updates. */
export interface PartRow {
  readonly name: string
  /** Drawn when the copy is started; a tab that holds another one must start over. */
  readonly life: number
  readonly incarnation: number
  readonly access: readonly string[]
  readonly schema: number
  readonly offset: number
  readonly title: string
  /** Seconds since 1970 by this device's clock, when it was opened or written last. */
  readonly opened: number
  /** Of all its updates. */
  readonly bytes: number
  /** By tab: the number of its last edit that may not be on the server. */
  readonly dirty: { readonly [tab: string]: number }
}

export interface UpdateRow {
  readonly name: string
  readonly update: Uint8Array
  readonly sum: number
}

export interface CommandRow {
  readonly name: string
  readonly id: string
  readonly command: string
  readonly body: unknown
}

/** A rescue (`update` and what stands in `Rescue`), or a row that was found damaged, as it was found. */
export interface RescueRow {
  readonly name: string
  readonly rescue?: unknown
  readonly damaged?: unknown
}

/** Raise it with the layout, and add a step to `onupgradeneeded`. */
const VERSION = 1
const STORES = ['parts', 'updates', 'commands', 'rescues'] as const
export type StoreName = (typeof STORES)[number]
/** Milliseconds that opening may take: some browsers never answer. */
const OPEN_WITHIN = 5000

const open = new Map<string, Promise<Database>>()

/** An open database. Operations reject with `DeviceError`. */
export class Database {
  readonly #database: IDBDatabase
  /** Why it can no longer be used; null while it can. */
  dead: DeviceError | null = null

  private constructor(scope: string, database: IDBDatabase) {
    this.#database = database
    const closed = (): void => {
      this.dead ??= new DeviceError('cleared', `what was kept for ${scope} was cleared or taken over`)
      open.delete(scope)
      database.close()
    }
    database.onversionchange = closed
    database.onclose = closed
  }

  /** Return the database of a user, made if need be; everyone in this tab shares it. */
  static open(scope: string): Promise<Database> {
    let opening = open.get(scope)
    if (opening === undefined) {
      opening = Database.#open(scope)
      open.set(scope, opening)
      opening.catch(() => open.delete(scope))
    }
    return opening
  }

  static #open(scope: string): Promise<Database> {
    return new Promise((resolve, reject) => {
      if (typeof indexedDB === 'undefined') {
        reject(new DeviceError('unavailable', 'this platform has no IndexedDB'))
        return
      }
      let late = false
      const timer = setTimeout(() => {
        late = true
        reject(new DeviceError('unavailable', 'IndexedDB does not open'))
      }, OPEN_WITHIN)
      let request: IDBOpenDBRequest
      try {
        request = indexedDB.open(databaseName(scope), VERSION)
      } catch (problem) {
        // Where a setting forbids it some browsers say so at once.
        clearTimeout(timer)
        reject(asDeviceError(problem))
        return
      }
      request.onupgradeneeded = () => {
        const database = request.result
        database.createObjectStore('parts', { keyPath: 'name' })
        for (const name of ['updates', 'commands', 'rescues'] as const) {
          database.createObjectStore(name, { autoIncrement: true }).createIndex('name', 'name')
        }
      }
      request.onerror = () => {
        clearTimeout(timer)
        reject(asDeviceError(request.error))
      }
      request.onsuccess = () => {
        clearTimeout(timer)
        if (late) request.result.close()
        else resolve(new Database(scope, request.result))
      }
    })
  }

  /** Delete the database of a user, here and under other tabs, which then keep nothing any more. */
  static async delete(scope: string): Promise<void> {
    const opened = await open.get(scope)?.catch(() => null)
    if (opened) {
      opened.dead = new DeviceError('cleared', `what was kept for ${scope} was cleared`)
      opened.#database.close()
    }
    open.delete(scope)
    if (typeof indexedDB === 'undefined') return
    await new Promise<void>((resolve, reject) => {
      let request: IDBOpenDBRequest
      try {
        request = indexedDB.deleteDatabase(databaseName(scope))
      } catch {
        // Where it is forbidden nothing is kept.
        resolve()
        return
      }
      request.onsuccess = () => resolve()
      request.onerror = () => reject(asDeviceError(request.error))
    })
  }

  /**
   * Do work in one transaction, all or nothing, and return its result when it is complete. The work
   * may await requests of the transaction and nothing else.
   */
  async run<T>(mode: IDBTransactionMode, work: (at: Transaction) => Promise<T>): Promise<T> {
    if (this.dead !== null) throw this.dead
    try {
      const transaction = this.#database.transaction(STORES, mode)
      const complete = new Promise<void>((resolve, reject) => {
        transaction.oncomplete = () => resolve()
        transaction.onabort = () => reject(transaction.error)
      })
      complete.catch(() => {}) // told below, or by the work that failed first
      try {
        const result = await work(new Transaction(transaction))
        await complete
        return result
      } catch (problem) {
        abort(transaction)
        throw problem
      }
    } catch (problem) {
      throw this.dead ?? asDeviceError(problem)
    }
  }
}

/** A transaction's requests as promises. */
export class Transaction {
  readonly #transaction: IDBTransaction

  constructor(transaction: IDBTransaction) {
    this.#transaction = transaction
  }

  part(name: string): Promise<PartRow | undefined> {
    return result(this.#store('parts').get(name) as IDBRequest<PartRow | undefined>)
  }

  parts(): Promise<PartRow[]> {
    return result(this.#store('parts').getAll() as IDBRequest<PartRow[]>)
  }

  putPart(row: PartRow): Promise<unknown> {
    return result(this.#store('parts').put(row))
  }

  deletePart(name: string): Promise<unknown> {
    return result(this.#store('parts').delete(name))
  }

  add(store: 'updates', row: UpdateRow): Promise<number>
  add(store: 'commands', row: CommandRow): Promise<number>
  add(store: 'rescues', row: RescueRow): Promise<number>
  add(store: StoreName, row: object): Promise<number> {
    return result(this.#store(store).add(row) as IDBRequest<number>)
  }

  delete(store: StoreName, key: number): Promise<unknown> {
    return result(this.#store(store).delete(key))
  }

  /** A part's rows of a store with their keys, oldest first. They may be damaged: look before use. */
  async rows(store: Exclude<StoreName, 'parts'>, name: string): Promise<[number, unknown][]> {
    const index = this.#store(store).index('name')
    const keys = result(index.getAllKeys(name) as IDBRequest<number[]>)
    const values = result(index.getAll(name) as IDBRequest<unknown[]>)
    const [ids, rows] = await Promise.all([keys, values])
    return ids.map((id, n) => [id, rows[n]])
  }

  #store(name: StoreName): IDBObjectStore {
    return this.#transaction.objectStore(name)
  }
}

/** A checksum of bytes (FNV-1a, 32 bits): against damage, not against malice. */
export function checksum(bytes: Uint8Array): number {
  let sum = 0x811c9dc5
  for (let n = 0; n < bytes.length; n++) sum = Math.imul(sum ^ bytes[n]!, 0x01000193)
  return sum >>> 0
}

function databaseName(scope: string): string {
  return `parvis:${scope}`
}

function result<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}

function abort(transaction: IDBTransaction): void {
  try {
    transaction.abort()
  } catch {
    // it has ended already
  }
}

const PROBLEMS: { readonly [name: string]: readonly [DeviceProblem, string] } = {
  QuotaExceededError: ['quota', 'this device has no room left'],
  VersionError: ['newer', 'a newer version of the application keeps documents on this device'],
  InvalidStateError: ['unavailable', 'IndexedDB is not available here'],
  SecurityError: ['unavailable', 'IndexedDB is not allowed here'],
  UnknownError: ['failed', 'IndexedDB failed'],
}

function asDeviceError(problem: unknown): DeviceError {
  if (problem instanceof DeviceError) return problem
  const name = problem instanceof Error || problem instanceof DOMException ? problem.name : ''
  const [code, reason] = PROBLEMS[name] ?? (['failed', `IndexedDB failed: ${String(problem)}`] as const)
  return new DeviceError(code, reason, { cause: problem })
}
