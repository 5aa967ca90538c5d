// What is kept on this device: opened for a part, listed, cleared.
import type { OpenKept } from '../document.js'
import { DeviceCopy } from './copy.js'
import { Database } from './database.js'

/** Bytes that the copies of one user may take on a device, as far as they can be missed. */
const BOUND = 200 * 1024 * 1024

/** A document that can be opened without a connection. */
export interface DeviceDocument {
  /** `type/key` or `type/key:part`. */
  readonly room: string
  readonly title: string
  /** Seconds since 1970 by this device's clock. */
  readonly opened: number
  readonly bytes: number
  /** Whether it may hold something that the server lacks. */
  readonly unsaved: boolean
}

export const openKept: OpenKept = (storage, name, host, holder) =>
  new DeviceCopy(storage, name, BOUND, host.platform, holder)

/** List what is kept on this device for a user, newest first. Rejects with `DeviceError`. */
export async function deviceDocuments(storage: string): Promise<DeviceDocument[]> {
  const database = await Database.open(storage)
  const rows = await database.run('readonly', (at) => at.parts())
  return rows
    .sort((a, b) => b.opened - a.opened)
    .map(({ name, title, opened, bytes, dirty }) => {
      return { room: name, title, opened, bytes, unsaved: Object.keys(dirty).length > 0 }
    })
}

/** Forget everything kept on this device for a user, unsaved work included. Rejects with `DeviceError`. */
export function clearDevice(storage: string): Promise<void> {
  return Database.delete(storage)
}
