// Commands that wait for a connection: sent one after the other, in order, until each is answered.
import { Refused } from './errors.js'
import type { QueuedCommand } from './device/kept.js'
import type { Value } from './wire/msgpack.js'

/** What became of a queued command, also of one from an earlier visit. */
export interface CommandOutcome extends QueuedCommand {
  readonly answer: Value
  /** Why it was turned down for good; null if it was done. */
  readonly refused: Refused | null
}

interface Waiting {
  readonly command: QueuedCommand
  readonly resolve: (answer: Value) => void
  readonly reject: (why: Error) => void
}

export interface CommandRunner {
  /** Run a command on the present connection. */
  run(name: string, body: Value): Promise<Value>
  /** Try again after a while that grows. */
  later(callback: () => void): void
  done(outcome: CommandOutcome): void
}

/**
 * A queue that outlives connections. A command may be run twice if the connection breaks before its
 * answer, so its body carries whatever lets the server see that (an id chosen here).
 */
export class CommandQueue {
  readonly #runner: CommandRunner
  #waiting: Waiting[] = []
  #life = 0

  constructor(runner: CommandRunner) {
    this.#runner = runner
  }

  /** How many have no answer. */
  get size(): number {
    return this.#waiting.length
  }

  add(command: QueuedCommand): Promise<Value> {
    return new Promise((resolve, reject) => this.#waiting.push({ command, resolve, reject }))
  }

  /** Put commands of an earlier visit before those of this one. */
  restore(commands: readonly QueuedCommand[]): void {
    const nobody = (): void => {}
    const earlier = commands.map((command) => ({ command, resolve: nobody, reject: nobody }))
    this.#waiting = [...earlier, ...this.#waiting]
  }

  /** There is a connection, or a new command: send what waits. */
  open(): void {
    void this.#run(++this.#life)
  }

  /** The connection is gone. */
  lost(): void {
    this.#life += 1
  }

  /** Nobody will answer any more; what is kept on this device stays there. */
  abandoned(why: Error): void {
    this.#life += 1
    for (const { reject } of this.#waiting) reject(why)
  }

  async #run(life: number): Promise<void> {
    while (life === this.#life && this.#waiting.length > 0) {
      const { command, resolve, reject } = this.#waiting[0]!
      try {
        const answer = await this.#runner.run(command.name, command.body)
        this.#settle(command, answer, null)
        resolve(answer)
      } catch (problem) {
        if (!(problem instanceof Refused)) return // no connection: `open` comes with the next one
        if (problem.retryable) {
          if (life === this.#life) this.#runner.later(() => this.open())
          return
        }
        this.#settle(command, null, problem)
        reject(problem)
      }
    }
  }

  #settle(command: QueuedCommand, answer: Value, refused: Refused | null): void {
    this.#waiting = this.#waiting.filter((each) => each.command !== command)
    this.#runner.done({ ...command, answer, refused })
  }
}
