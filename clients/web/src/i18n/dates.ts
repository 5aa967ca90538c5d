// Days and times in the reader's language and time zone. Times are seconds since 1970, as the server's.
const MINUTE = 60
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** From how many seconds on a distance is told in which unit. */
const UNITS: readonly (readonly [number, Intl.RelativeTimeFormatUnit])[] = [
  [DAY, 'day'],
  [HOUR, 'hour'],
  [MINUTE, 'minute'],
]

export class Dates {
  readonly #relative: Intl.RelativeTimeFormat
  readonly #day: Intl.DateTimeFormat
  readonly #dayOfYear: Intl.DateTimeFormat
  readonly #time: Intl.DateTimeFormat
  readonly #full: Intl.DateTimeFormat

  /** `language` as it is written where the reader lives (`en-GB`), or alone. */
  constructor(language: string, timeZone?: string) {
    const zone = timeZone === undefined ? {} : { timeZone }
    this.#relative = new Intl.RelativeTimeFormat(language, { numeric: 'auto' })
    this.#day = new Intl.DateTimeFormat(language, { day: 'numeric', month: 'short', ...zone })
    this.#dayOfYear = new Intl.DateTimeFormat(language, { day: 'numeric', month: 'short', year: 'numeric', ...zone })
    this.#time = new Intl.DateTimeFormat(language, { hour: 'numeric', minute: '2-digit', ...zone })
    this.#full = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short', ...zone })
  }

  /** How long ago, for lists: "now", "5 minutes ago", "yesterday", and after a week the day itself. */
  ago(seconds: number, now: number = Date.now() / 1000): string {
    const distance = seconds - now
    const size = Math.abs(distance)
    if (size >= 7 * DAY) return this.day(seconds, now)
    const [unit, name] = UNITS.find(([unit]) => size >= unit) ?? [1, 'second']
    // Below a minute a number would be wrong before it is read.
    return this.#relative.format(name === 'second' ? 0 : Math.trunc(distance / unit), name)
  }

  /** The day, with the year unless it is this one's. */
  day(seconds: number, now: number = Date.now() / 1000): string {
    const date = new Date(seconds * 1000)
    const isThisYear = date.getFullYear() === new Date(now * 1000).getFullYear()
    return (isThisYear ? this.#day : this.#dayOfYear).format(date)
  }

  /** The time of day. */
  time(seconds: number): string {
    return this.#time.format(seconds * 1000)
  }

  /** Day, year and time. */
  full(seconds: number): string {
    return this.#full.format(seconds * 1000)
  }
}
