// Parvis for TypeScript: documents that are shared, logs that are ordered, and copies on this device.
export { connect, Session } from './session.js'
export type { SessionEvents, SessionOptions, SessionSignal, Status, User } from './session.js'
export { DocumentPart } from './document.js'
export type {
  DocumentEvents,
  DocumentOptions,
  RefusedEdits,
  ResetDocument,
  Saved,
  Schema,
} from './document_types.js'
export { LogPart } from './log.js'
export type { Logged, LogEvents, LogOptions } from './log.js'
export type { Part, PartEvents, PartSignal } from './part.js'
export { clearDevice, deviceDocuments } from './device/index.js'
export type { DeviceDocument } from './device/index.js'
export { PartAwareness } from './awareness.js'
export type { CommandOutcome } from './commands.js'
export type { QueuedCommand, Rescue } from './device/kept.js'
export { Closed, DeviceError, Disconnected, ParvisError, Refused } from './errors.js'
export type { DeviceProblem } from './errors.js'
export type { Platform, SocketClass, SocketLike } from './platform.js'
export { CloseCode, ErrorCode } from './wire/codes.js'
export type { Value } from './wire/msgpack.js'
